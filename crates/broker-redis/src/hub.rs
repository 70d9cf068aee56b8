//! One pub/sub connection for any number of listeners. It subscribes again after every loss and tells listeners of the gap.
//! Each listener has its own bounded inbox; a slow one misses messages, is told so, and nobody waits for it.
//!
//! However many join or leave at the same time, the server is told of all of them at once: whoever is first tells it for the others.

mod inbox;
mod listeners;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use broker::Result;
use bytes::Bytes;
use redis::{Pipeline, PushInfo, PushKind, RedisResult, Value};
use tokio_util::sync::CancellationToken;

use crate::error::closed;
use crate::link::{Backoff, Connector, Link};
use inbox::Inbox;
use listeners::{Changes, Event, Listeners, Topic};

/// Fewest messages that may wait for a slow listener; at least two for each of its topics.
const ROOM: usize = 1_024;
/// Topics that the server is told of in one command.
const CHUNK: usize = 1_000;
/// How often an idle connection is tried.
const CHECK: Duration = Duration::from_secs(10);

/// What a listener hears.
#[derive(Debug)]
pub(crate) enum Heard {
    Payload(Bytes),
    /// Messages were lost.
    Gap,
    /// The hub was closed.
    End,
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
        let inbox = Inbox::new(ROOM.max(topics.len() * 2));
        let guard = Guard {
            hub: Arc::clone(self),
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            topics: topics.into_iter().map(|topic| (patterns, topic)).collect(),
        };
        lock(&self.listeners).enter(guard.id, &guard.topics, &inbox);
        let told = tokio::spawn(Arc::clone(self).tell_server()).await;
        told.map_err(|_| closed())?
            .map_err(|error| self.link.explain("subscribe", error))?;
        Ok(Listening {
            inbox,
            stop: self.stop.clone(),
            _guard: guard,
        })
    }

    /// Tells the server of everything that has changed, for whoever has changed it. Returns when it has confirmed all. It must not be
    /// dropped halfway: it works for others too.
    async fn tell_server(self: Arc<Self>) -> RedisResult<()> {
        let _changing = self.changing.lock().await;
        for patterns in [false, true] {
            let changes = lock(&self.listeners).take_changes(patterns);
            let told = self.tell_changes(patterns, &changes).await;
            if told.is_err() {
                lock(&self.listeners).put_back(patterns, changes);
            }
            told?;
        }
        Ok(())
    }

    async fn tell_changes(&self, patterns: bool, changes: &Changes) -> RedisResult<()> {
        for topics in changes.subscribe.chunks(CHUNK) {
            self.link.subscribe(patterns, topics).await?;
            lock(&self.listeners).note(patterns, topics, true);
        }
        for topics in changes.unsubscribe.chunks(CHUNK) {
            self.link.unsubscribe(patterns, topics).await?;
            lock(&self.listeners).note(patterns, topics, false);
        }
        Ok(())
    }

    /// Subscribes everything on a new connection.
    async fn resubscribe(self: &Arc<Self>) -> RedisResult<()> {
        lock(&self.listeners).start_again();
        Arc::clone(self).tell_server().await?;
        lock(&self.listeners).tell_all(&Event::Gap);
        Ok(())
    }

    fn is_idle(&self) -> bool {
        lock(&self.listeners).is_empty()
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
    let event = Event::Payload(Bytes::from(payload));
    lock(listeners).tell(&(patterns, topic), &event);
}

fn lock(listeners: &Mutex<Listeners>) -> MutexGuard<'_, Listeners> {
    listeners.lock().expect("no holder of this lock panics")
}

/// One listener. Dropping it unsubscribes what nobody else listens to.
#[derive(Debug)]
pub(crate) struct Listening {
    inbox: Inbox,
    stop: CancellationToken,
    _guard: Guard,
}

impl Listening {
    /// What comes next. Cancel-safe.
    pub(crate) async fn next(&self) -> Heard {
        tokio::select! {
            event = self.inbox.next() => match event {
                Event::Payload(payload) => Heard::Payload(payload),
                Event::Gap => Heard::Gap,
            },
            () = self.stop.cancelled() => Heard::End,
        }
    }
}

#[derive(Debug)]
struct Guard {
    hub: Arc<Hub>,
    id: u64,
    topics: Vec<Topic>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        lock(&self.hub.listeners).leave(self.id, &self.topics);
        let hub = Arc::clone(&self.hub);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = hub.tell_server().await {
                tracing::debug!(%error, "cannot unsubscribe");
            }
        });
    }
}
