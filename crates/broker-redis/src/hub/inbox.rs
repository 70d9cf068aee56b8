//! What waits for one listener. It takes memory only for what waits in it: very many may listen to one channel each.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use super::listeners::Event;

/// An inbox, shared by the hub, which fills it, and its listener.
#[derive(Clone, Debug)]
pub(super) struct Inbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    room: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Event>,
    /// Events for which there was no room. From the first of them on nothing is kept until the listener has heard of the gap, so
    /// that nothing in the inbox is older than what the listener then reads anew.
    lost: u64,
}

/// What a listener finds in its inbox.
#[derive(Debug)]
pub(super) enum Found {
    Event(Event),
    /// This many events found no room after all that was found so far.
    Lost(u64),
}

impl Inbox {
    /// With room for so many events.
    pub(super) fn new(room: usize) -> Self {
        Self(Arc::new(Shared {
            waiting: Mutex::default(),
            arrived: Notify::new(),
            room,
        }))
    }

    /// Puts an event in. Waits for nobody.
    pub(super) fn put(&self, event: Event) {
        let mut waiting = self.lock();
        match waiting.lost == 0 && waiting.events.len() < self.0.room {
            true => waiting.events.push_back(event),
            false => waiting.lost += 1,
        }
        drop(waiting);
        self.0.arrived.notify_one();
    }

    /// What comes next, for the one listener. Cancel-safe.
    pub(super) async fn next(&self) -> Found {
        loop {
            if let Some(found) = self.take() {
                return found;
            }
            self.0.arrived.notified().await;
        }
    }

    /// What waits, if anything does.
    pub(super) fn take(&self) -> Option<Found> {
        let mut waiting = self.lock();
        match waiting.events.pop_front() {
            Some(event) => Some(Found::Event(event)),
            None if waiting.lost > 0 => Some(Found::Lost(std::mem::take(&mut waiting.lost))),
            None => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0
            .waiting
            .lock()
            .expect("no holder of this lock panics")
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn event(text: &'static str) -> Event {
        Event::Payload(Bytes::from_static(text.as_bytes()))
    }

    /// Payloads as they were put in, losses as their numbers.
    fn take_all(inbox: &Inbox) -> Vec<String> {
        let found = std::iter::from_fn(|| inbox.take());
        found
            .map(|found| match found {
                Found::Event(Event::Payload(payload)) => {
                    String::from_utf8(payload.to_vec()).unwrap()
                }
                Found::Event(Event::Gap) => "gap".to_owned(),
                Found::Lost(count) => count.to_string(),
            })
            .collect()
    }

    #[test]
    fn what_finds_no_room_is_counted_and_nothing_older_follows_the_gap() {
        let inbox = Inbox::new(2);
        for text in ["a", "b", "c"] {
            inbox.put(event(text));
        }
        assert!(matches!(inbox.take(), Some(Found::Event(_))));
        inbox.put(event("d"));
        assert_eq!(take_all(&inbox), ["b", "2"]);
        inbox.put(event("e"));
        inbox.put(Event::Gap);
        assert_eq!(take_all(&inbox), ["e", "gap"]);
    }

    #[tokio::test]
    async fn a_listener_is_woken_by_what_arrives() {
        let inbox = Inbox::new(1);
        let filler = inbox.clone();
        let (found, ()) = tokio::join!(inbox.next(), async { filler.put(Event::Gap) });
        assert!(matches!(found, Found::Event(Event::Gap)), "{found:?}");
    }
}
