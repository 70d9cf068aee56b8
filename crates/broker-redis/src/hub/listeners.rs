//! Who listens to what, and what the server has been told of it. It sends nothing.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::inbox::Inbox;

/// A channel (`false`) or a pattern (`true`).
pub(super) type Topic = (bool, String);

/// What is handed to a listener.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Payload(Bytes),
    /// Messages are gone: the connection was lost and is back, or they found no room.
    Gap,
}

/// The listeners of one connection.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    by_topic: HashMap<Topic, HashMap<u64, Inbox>>,
    /// What this connection is subscribed to.
    subscribed: HashSet<Topic>,
    /// Topics that somebody has joined or left since the server was told.
    changed: HashSet<Topic>,
}

/// What the server must be told.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) subscribe: Vec<String>,
    pub(super) unsubscribe: Vec<String>,
}

impl Listeners {
    /// Notes a listener.
    pub(super) fn enter(&mut self, id: u64, topics: &[Topic], inbox: &Inbox) {
        for topic in topics {
            let those = self.by_topic.entry(topic.clone()).or_default();
            those.insert(id, inbox.clone());
            self.changed.insert(topic.clone());
        }
    }

    /// Takes a listener out.
    pub(super) fn leave(&mut self, id: u64, topics: &[Topic]) {
        for topic in topics {
            let Some(those) = self.by_topic.get_mut(topic) else {
                continue;
            };
            those.remove(&id);
            if those.is_empty() {
                self.by_topic.remove(topic);
                self.changed.insert(topic.clone());
            }
        }
    }

    /// Takes out what the server does not know yet. A topic that was left and joined again is no change.
    pub(super) fn take_changes(&mut self, patterns: bool) -> Changes {
        let mut changes = Changes::default();
        let changed = self
            .changed
            .extract_if(|(of_pattern, _)| *of_pattern == patterns);
        for topic in changed {
            let heard = self.by_topic.contains_key(&topic);
            match (heard, self.subscribed.contains(&topic)) {
                (true, false) => changes.subscribe.push(topic.1),
                (false, true) => changes.unsubscribe.push(topic.1),
                (true, true) | (false, false) => {}
            }
        }
        changes
    }

    /// The server knows of these.
    pub(super) fn note(&mut self, patterns: bool, topics: &[String], subscribed: bool) {
        for topic in topics {
            let topic = (patterns, topic.clone());
            match subscribed {
                true => self.subscribed.insert(topic),
                false => self.subscribed.remove(&topic),
            };
        }
    }

    /// The server could not be told of these: somebody else has to.
    pub(super) fn put_back(&mut self, patterns: bool, changes: Changes) {
        let topics = changes.subscribe.into_iter().chain(changes.unsubscribe);
        self.changed.extend(topics.map(|topic| (patterns, topic)));
    }

    /// A new connection is subscribed to nothing.
    pub(super) fn start_again(&mut self) {
        self.subscribed.clear();
        self.changed = self.by_topic.keys().cloned().collect();
    }

    /// Hands an event to all who listen to a topic.
    pub(super) fn tell(&self, topic: &Topic, event: &Event) {
        let those = self.by_topic.get(topic);
        for inbox in those.into_iter().flat_map(HashMap::values) {
            inbox.put(event.clone());
        }
    }

    /// Hands an event to all, once to each.
    pub(super) fn tell_all(&self, event: &Event) {
        let mut told = HashSet::new();
        for (id, inbox) in self.by_topic.values().flatten() {
            if told.insert(*id) {
                inbox.put(event.clone());
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_topic.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> Topic {
        (false, name.to_owned())
    }

    #[test]
    fn the_server_is_told_only_of_what_it_does_not_know() {
        let mut listeners = Listeners::default();
        let inbox = Inbox::new(1);
        listeners.enter(1, &[topic("a"), topic("b")], &inbox);
        let mut changes = listeners.take_changes(false);
        changes.subscribe.sort();
        assert_eq!((changes.subscribe.len(), changes.unsubscribe.len()), (2, 0));
        listeners.note(false, &changes.subscribe, true);

        listeners.enter(2, &[topic("a")], &inbox);
        assert!(
            listeners.take_changes(false).subscribe.is_empty(),
            "it knows a already"
        );
        listeners.leave(1, &[topic("a"), topic("b")]);
        listeners.enter(3, &[topic("b")], &inbox);
        let changes = listeners.take_changes(false);
        assert!(
            changes.unsubscribe.is_empty(),
            "b was left and joined at once"
        );
        listeners.leave(2, &[topic("a")]);
        assert_eq!(listeners.take_changes(false).unsubscribe, ["a"]);
    }

    #[test]
    fn what_the_server_was_not_told_is_told_later_and_everything_again_after_a_loss() {
        let mut listeners = Listeners::default();
        let inbox = Inbox::new(1);
        listeners.enter(1, &[topic("a")], &inbox);
        let failed = listeners.take_changes(false);
        listeners.put_back(false, failed);
        let told = listeners.take_changes(false).subscribe;
        assert_eq!(told, ["a"]);
        listeners.note(false, &told, true);
        listeners.start_again();
        assert_eq!(listeners.take_changes(false).subscribe, ["a"]);
        assert!(listeners.take_changes(true).subscribe.is_empty());
    }

    #[test]
    fn who_listens_to_many_channels_hears_of_a_gap_once() {
        let mut listeners = Listeners::default();
        let (both, one) = (Inbox::new(2), Inbox::new(2));
        listeners.enter(1, &[topic("a"), topic("b")], &both);
        listeners.enter(2, &[topic("b")], &one);
        listeners.tell_all(&Event::Gap);
        for inbox in [both, one] {
            assert!(matches!(inbox.take(), Some(Event::Gap)));
            assert!(inbox.take().is_none());
        }
    }
}
