//! Random ids, without a call of the system for each.

use std::cell::RefCell;

use uuid::{Builder, Uuid};

/// Bytes of one id.
const SIZE: usize = 16;
/// The system is asked for so many bytes at once.
const STOCK: usize = 64 * SIZE;

/// Random bytes of the system's that are handed out once.
struct Stock {
    bytes: [u8; STOCK],
    left: usize,
}

thread_local! {
    static RANDOM: RefCell<Stock> = const {
        RefCell::new(Stock { bytes: [0; STOCK], left: 0 })
    };
}

/// A random UUID (version 4), as hard to guess as [`Uuid::new_v4`]'s.
///
/// # Panics
/// When the system has no random numbers.
pub fn random_id() -> Uuid {
    RANDOM.with_borrow_mut(|stock| Builder::from_random_bytes(stock.next()).into_uuid())
}

impl Stock {
    fn next(&mut self) -> [u8; SIZE] {
        if self.left == 0 {
            getrandom::fill(&mut self.bytes).expect("the system has random numbers");
            self.left = STOCK;
        }
        self.left -= SIZE;
        let taken = &mut self.bytes[self.left..][..SIZE];
        let id = std::array::from_fn(|at| taken[at]);
        // What was handed out cannot be found here any more.
        taken.fill(0);
        id
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_random_uuids_and_none_comes_twice() {
        let ids: HashSet<Uuid> = (0..1_000).map(|_| random_id()).collect();
        assert_eq!(ids.len(), 1_000);
        assert!(ids.iter().all(|id| id.get_version_num() == 4));
        let other = std::thread::spawn(random_id).join();
        assert!(!ids.contains(&other.expect("the thread ends")));
    }
}
