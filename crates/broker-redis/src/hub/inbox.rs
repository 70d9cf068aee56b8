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

    /// What comes next, for the one listener; a gap stands for what found no room. Cancel-safe.
    pub(super) async fn next(&self) -> Event {
        loop {
            if let Some(event) = self.take() {
                return event;
            }
            self.0.arrived.notified().await;
        }
    }

    /// What waits, if anything does.
    pub(super) fn take(&self) -> Option<Event> {
        let mut waiting = self.lock();
        if let Some(event) = waiting.events.pop_front() {
            return Some(event);
        }
        let lost = std::mem::take(&mut waiting.lost);
        if lost == 0 {
            return None;
        }
        tracing::warn!(lost, "a slow listener missed messages");
        Some(Event::Gap)
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

    /// Payloads as they were put in.
    fn take_all(inbox: &Inbox) -> Vec<String> {
        let found = std::iter::from_fn(|| inbox.take());
        found
            .map(|found| match found {
                Event::Payload(payload) => String::from_utf8(payload.to_vec()).unwrap(),
                Event::Gap => "gap".to_owned(),
            })
            .collect()
    }

    #[test]
    fn what_finds_no_room_is_a_gap_and_nothing_older_follows_it() {
        let inbox = Inbox::new(2);
        for text in ["a", "b", "c"] {
            inbox.put(event(text));
        }
        assert!(matches!(inbox.take(), Some(Event::Payload(_))));
        inbox.put(event("d"));
        assert_eq!(take_all(&inbox), ["b", "gap"]);
        inbox.put(event("e"));
        inbox.put(Event::Gap);
        assert_eq!(take_all(&inbox), ["e", "gap"]);
    }

    #[tokio::test]
    async fn a_listener_is_woken_by_what_arrives() {
        let inbox = Inbox::new(1);
        let filler = inbox.clone();
        let (found, ()) = tokio::join!(inbox.next(), async { filler.put(Event::Gap) });
        assert!(matches!(found, Event::Gap), "{found:?}");
    }
}
