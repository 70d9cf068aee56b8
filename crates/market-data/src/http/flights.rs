//! Requests under way: whoever asks what somebody is asking already waits for the same answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use crate::error::Result;

/// A place where an answer will be; gone when nobody waits for it any more.
type Flight<T> = OnceCell<Result<T>>;

/// The requests under way by what they ask.
#[derive(Debug)]
pub(super) struct Flights<T>(Mutex<HashMap<String, Weak<Flight<T>>>>);

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Flights<T> {
    /// The answer of `ask`, or of who asks the same already. When that one gives up, the next one asks.
    pub(super) async fn share(&self, key: &str, ask: impl AsyncFnOnce() -> Result<T>) -> Result<T> {
        let flight = self.join(key);
        let answer = flight.get_or_init(async || ask().await).await.clone();
        drop(flight);
        self.sweep();
        answer
    }

    fn join(&self, key: &str) -> Arc<Flight<T>> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(key).and_then(Weak::upgrade) {
            return flight;
        }
        let flight = Arc::new(OnceCell::new());
        flights.insert(key.to_owned(), Arc::downgrade(&flight));
        flight
    }

    fn sweep(&self) {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| flight.strong_count() > 0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Barrier;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_the_same_share_one_answer() {
        let (flights, asked, both) = (Flights::default(), AtomicU32::new(0), Barrier::new(2));
        let ask = async || {
            both.wait().await;
            Ok(asked.fetch_add(1, Ordering::Relaxed))
        };
        let first = flights.share("a", ask);
        let second = async {
            // The second one is there before the first has its answer.
            let shared = flights.share("a", async || panic!("asked twice"));
            tokio::join!(shared, both.wait()).0
        };
        let (first, second) = tokio::join!(first, second);
        assert_eq!((first.unwrap(), second.unwrap()), (0, 0));
        assert_eq!(flights.share("a", async || Ok(7)).await.unwrap(), 7);
    }
}
