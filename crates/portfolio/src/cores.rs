//! One piece of work for each of many items, shared out over the machine's cores.

use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};

/// Applies `work` to every item; results come in the order of the items. Its threads stay, and with them the memory that
/// their allocator has at hand.
pub(crate) fn on_every_core<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    items.par_iter().with_max_len(1).map(&work).collect()
}

#[cfg(test)]
mod tests {
    use super::on_every_core;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..1000).collect();
        let squares: Vec<u64> = items.iter().map(|item| item * item).collect();
        assert_eq!(on_every_core(&items, |item| item * item), squares);
        assert!(on_every_core(&[0_u64; 0], |item| *item).is_empty());
    }
}
