//! One pub/sub connection for any number of listeners. It subscribes again after every loss and tells listeners of the gap.
//! Each listener has its own bounded buffer; a slow one loses its oldest messages and nobody waits for it.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use broker::Result;
use bytes::Bytes;
use redis::{Pipeline, PushInfo, PushKind, Value};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

use crate::link::{Backoff, Connector, Link};

/// Messages that wait for a slow listener.
const BUFFER: usize = 1_024;
/// How often an idle connection is tried.
const CHECK: Duration = Duration::from_secs(10);

/// A channel or a pattern.
type Topic = (bool, String);

#[derive(Clone, Debug)]
enum Event {
    Payload(Bytes),
    /// The connection was lost and is back: messages in between are gone.
    Gap,
}

/// What a listener hears.
#[derive(Debug)]
pub(crate) enum Heard {
    Payload(Bytes),
    /// Messages were lost.
    Gap,
    /// The hub was closed.
    End,
}

#[derive(Default)]
struct Listeners {
    by_topic: HashMap<Topic, HashMap<u64, broadcast::Sender<Event>>>,
}

/// The connection and its listeners.
pub(crate) struct Hub {
    link: Link,
    listeners: Arc<Mutex<Listeners>>,
    next_id: AtomicU64,
    stop: CancellationToken,
    /// Subscribing and unsubscribing take turns, so that a topic which is left and joined at once stays subscribed.
    changing: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// Connects when somebody listens.
    pub(crate) fn new(connector: Connector, stop: CancellationToken) -> Arc<Self> {
        let listeners = Arc::new(Mutex::new(Listeners::default()));
        let heard = Arc::clone(&listeners);
        let on_push = Arc::new(move |push| hand_out(&heard, push));
        let link = Link::with_push(connector, stop.clone(), Pipeline::new(), on_push);
        let hub = Arc::new(Self {
            link,
            listeners,
            next_id: AtomicU64::new(0),
            stop: stop.clone(),
            changing: tokio::sync::Mutex::new(()),
        });
        tokio::spawn(stop.run_until_cancelled_owned(keep_alive(Arc::downgrade(&hub))));
        hub
    }

    /// Listens to channels, or to patterns. Returns when the server has confirmed it.
    pub(crate) async fn listen(
        self: &Arc<Self>,
        patterns: bool,
        topics: Vec<String>,
    ) -> Result<Listening> {
        let (sender, receiver) = broadcast::channel(BUFFER.max(topics.len() * 2));
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let guard = Guard {
            hub: Arc::clone(self),
            id,
            patterns,
            topics,
        };
        let _changing = self.changing.lock().await;
        let new = self.enter(&guard, sender);
        if !new.is_empty() {
            self.link
                .subscribe(patterns, &new)
                .await
                .map_err(|error| self.link.explain("subscribe", error))?;
        }
        Ok(Listening {
            receiver,
            dropped: 0,
            stop: self.stop.clone(),
            _guard: guard,
        })
    }

    /// Notes the listener; the topics that nobody listened to before.
    fn enter(&self, guard: &Guard, sender: broadcast::Sender<Event>) -> Vec<String> {
        let mut listeners = lock(&self.listeners);
        let mut new = Vec::new();
        for topic in &guard.topics {
            let those = listeners
                .by_topic
                .entry((guard.patterns, topic.clone()))
                .or_default();
            if those.is_empty() {
                new.push(topic.clone());
            }
            those.insert(guard.id, sender.clone());
        }
        new
    }

    /// Takes the listener out; the topics that nobody listens to now.
    fn leave(&self, id: u64, patterns: bool, topics: &[String]) -> Vec<String> {
        let mut listeners = lock(&self.listeners);
        let mut unheard = Vec::new();
        for topic in topics {
            let key = (patterns, topic.clone());
            let Some(those) = listeners.by_topic.get_mut(&key) else {
                continue;
            };
            those.remove(&id);
            if those.is_empty() {
                listeners.by_topic.remove(&key);
                unheard.push(topic.clone());
            }
        }
        unheard
    }

    fn topics(&self, patterns: bool) -> Vec<String> {
        let listeners = lock(&self.listeners);
        listeners
            .by_topic
            .keys()
            .filter(|(is_pattern, _)| *is_pattern == patterns)
            .map(|(_, topic)| topic.clone())
            .collect()
    }

    fn tell_all_of_the_gap(&self) {
        for sender in lock(&self.listeners)
            .by_topic
            .values()
            .flat_map(HashMap::values)
        {
            // A listener that is just leaving misses nothing.
            let _left = sender.send(Event::Gap);
        }
    }

    /// Subscribes everything on a new connection.
    async fn resubscribe(&self) -> redis::RedisResult<()> {
        let _changing = self.changing.lock().await;
        for patterns in [false, true] {
            for topics in self.topics(patterns).chunks(500) {
                self.link.subscribe(patterns, topics).await?;
            }
        }
        self.tell_all_of_the_gap();
        Ok(())
    }

    fn is_idle(&self) -> bool {
        lock(&self.listeners).by_topic.is_empty()
    }
}

/// Finds lost connections and replaces them, as long as somebody listens.
async fn keep_alive(hub: Weak<Hub>) {
    let Some(mut health) = hub.upgrade().map(|hub| hub.link.health()) else {
        return;
    };
    let mut backoff = Backoff::default();
    let mut subscribed = 1;
    loop {
        // Whether the state changed or it is time for a check, the next step is the same.
        let _either = tokio::time::timeout(CHECK, health.changed()).await;
        loop {
            let Some(hub) = hub.upgrade() else { return };
            let now = *health.borrow_and_update();
            if hub.is_idle() || now.generation == 0 {
                subscribed = subscribed.max(now.generation);
                break;
            }
            let restored = match now.up && now.generation <= subscribed {
                true => hub.link.try_call(redis::cmd("PING")).await.map(|_| ()),
                false => hub.resubscribe().await,
            };
            match restored {
                Ok(()) => {
                    let generation = hub.link.health().borrow().generation;
                    subscribed = subscribed.max(generation);
                    backoff = Backoff::default();
                    break;
                }
                Err(error) => tracing::debug!(%error, "waiting for Redis to subscribe again"),
            }
            drop(hub);
            backoff.pause().await;
        }
    }
}

fn hand_out(listeners: &Mutex<Listeners>, push: PushInfo) {
    let patterns = match push.kind {
        PushKind::Message => false,
        PushKind::PMessage => true,
        _ => return,
    };
    let mut data = push.data.into_iter();
    let (Some(Value::BulkString(topic)), Some(Value::BulkString(payload))) =
        (data.next(), data.next_back())
    else {
        return;
    };
    let Ok(topic) = String::from_utf8(topic) else {
        return;
    };
    let payload = Bytes::from(payload);
    if let Some(those) = lock(listeners).by_topic.get(&(patterns, topic)) {
        for sender in those.values() {
            // A listener that is just leaving misses nothing.
            let _left = sender.send(Event::Payload(payload.clone()));
        }
    }
}

fn lock(listeners: &Mutex<Listeners>) -> MutexGuard<'_, Listeners> {
    listeners.lock().expect("no holder of this lock panics")
}

/// One listener. Dropping it unsubscribes what nobody else listens to.
#[derive(Debug)]
pub(crate) struct Listening {
    receiver: broadcast::Receiver<Event>,
    dropped: u64,
    stop: CancellationToken,
    _guard: Guard,
}

impl Listening {
    /// What comes next. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Heard {
        tokio::select! {
            event = self.receiver.recv() => match event {
                Ok(Event::Payload(payload)) => Heard::Payload(payload),
                Ok(Event::Gap) => Heard::Gap,
                Err(RecvError::Lagged(count)) => {
                    self.dropped += count;
                    tracing::warn!(count, total = self.dropped, "a slow listener lost its oldest messages");
                    Heard::Gap
                }
                Err(RecvError::Closed) => Heard::End,
            },
            () = self.stop.cancelled() => Heard::End,
        }
    }
}

#[derive(Debug)]
struct Guard {
    hub: Arc<Hub>,
    id: u64,
    patterns: bool,
    topics: Vec<String>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let (hub, id, patterns) = (Arc::clone(&self.hub), self.id, self.patterns);
        let topics = std::mem::take(&mut self.topics);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let _changing = hub.changing.lock().await;
            let unheard = hub.leave(id, patterns, &topics);
            if !unheard.is_empty()
                && let Err(error) = hub.link.unsubscribe(patterns, &unheard).await
            {
                tracing::debug!(%error, "cannot unsubscribe");
            }
        });
    }
}
