//! Work on very many items, shared out over the processors. It owns no state and knows nothing of what the work is.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use broker::{Coordinator, Page, Result};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinError;

/// Fewer items than this are not worth a thread.
const WORTH_A_THREAD: usize = 10_000;

/// Pages that wait for somebody to work on them.
const PAGES_AHEAD: usize = 4;

/// The pages of a space, for several threads to take from.
#[derive(Clone, Debug)]
pub(crate) struct Pages(Arc<Mutex<Receiver<Page>>>);

impl Iterator for Pages {
    type Item = Page;

    fn next(&mut self) -> Option<Page> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv()
    }
}

/// Loads a space while its pages are worked on by a thread for each of `works`; what they have made.
///
/// # Errors
/// When the space cannot be loaded.
pub(crate) async fn pages<T: Send + 'static, W: FnOnce(Pages) -> T + Send + 'static>(
    coordinator: &dyn Coordinator,
    space: &str,
    works: Vec<W>,
) -> Result<Vec<T>> {
    let (sender, receiver) = mpsc::channel(PAGES_AHEAD);
    let pages = Pages(Arc::new(Mutex::new(receiver)));
    let begin = |work: W| {
        let pages = pages.clone();
        tokio::task::spawn_blocking(move || work(pages))
    };
    let working: Vec<_> = works.into_iter().map(begin).collect();
    drop(pages);
    let loaded = coordinator.load_pages(space, sender).await;
    let mut made = Vec::with_capacity(working.len());
    for worker in working {
        made.push(ended(worker.await));
    }
    loaded.map(|()| made)
}

/// How many threads can work at once.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Applies `work` to each item, in order.
pub(crate) fn map<T: Send, U: Send>(items: Vec<T>, work: impl Fn(T) -> U + Sync) -> Vec<U> {
    let threads = threads();
    if threads == 1 || items.len() < WORTH_A_THREAD {
        return items.into_iter().map(work).collect();
    }
    let share = items.len().div_ceil(threads);
    let mut rest = items;
    let mut shares = Vec::with_capacity(threads);
    while !rest.is_empty() {
        let later = rest.split_off(share.min(rest.len()));
        shares.push(std::mem::replace(&mut rest, later));
    }
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || share.into_iter().map(work).collect::<Vec<U>>()))
            .collect();
        let done = running.into_iter().map(|thread| thread.join());
        done.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Runs work that takes long away from the threads that serve the network.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    ended(tokio::task::spawn_blocking(work).await)
}

/// Nobody cancels such work but the end of the program.
fn ended<T>(done: std::result::Result<T, JoinError>) -> T {
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_kept_whether_threads_share_or_not() {
        for count in [0, 1, 9_999, 10_000, 100_001] {
            let items: Vec<usize> = (0..count).collect();
            let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(map(items, |item| item * 2), doubled);
        }
    }
}
