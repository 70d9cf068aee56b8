//! Requests for messages that are under way. They leave one after the other over one connection, so the server carries them out in the
//! order in which they were asked for; and whoever's turn it is looks at their answers in that order, whoever has asked. So messages are
//! given out in their order however many requests are under way, and a caller who goes away leaves the answer to the next.
//!
//! A request is sent once. Whatever keeps it from being carried out counts as an answer that brought nothing: the next one is asked
//! behind what is under way by then, and so comes after it in every respect.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use broker::{BrokerError, Result};
use redis::{RedisError, Value};
use tokio::sync::futures::Notified;
use tokio::sync::{Mutex as Turns, MutexGuard as Turn, Notify, watch};

use super::lease;
use super::queues::Queue;
use super::shared::Shared;
use super::take::{command, keep};
use crate::error::{closed, is_outage};
use crate::link::{Answer, Standing};
use crate::script;

/// What is asked for.
pub(super) struct Asking {
    pub(super) incarnation: Arc<str>,
    pub(super) plan: Vec<Arc<Queue>>,
    /// Whether the queues take turns.
    pub(super) fair: bool,
    /// The number of the first message's tag.
    pub(super) first: u64,
    /// Most messages.
    pub(super) max: usize,
    /// Before it left.
    pub(super) asked: Instant,
}

/// A request that has left.
pub(super) struct Request {
    asking: Asking,
    answer: Answer,
}

/// All requests under way, and who may look at their answers.
#[derive(Default)]
pub(super) struct Requests {
    /// Whoever sends has this, and notes the connection that it used.
    leaving: Turns<u64>,
    /// Those that nobody waits for yet, in the order in which they left.
    line: Mutex<VecDeque<Request>>,
    /// Whoever has this waits for the first answer; it stays here when he goes away.
    turn: Turns<Option<Request>>,
    sent: AtomicU64,
    answered: watch::Sender<u64>,
    callers: AtomicUsize,
    /// One more is under way.
    joined: Notify,
    /// An answer got lost, or the server cannot be reached, and nobody has looked for what was taken.
    lost: AtomicBool,
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests")
            .field("under_way", &self.under_way())
            .field("callers", &self.callers)
            .finish_non_exhaustive()
    }
}

/// Somebody who reserves, counted until this is dropped.
pub(super) struct Caller<'a>(&'a Requests);

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.0.callers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer that is noted; it counts when that is done, or whoever did it has gone.
struct Answering<'a>(&'a Requests);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.answered.send_modify(|answered| *answered += 1);
    }
}

/// What an answer says.
pub(super) enum Answered {
    /// Something was taken, or it is worth asking again at once.
    Ask,
    /// Nothing is there. These positions are of keys that are no lists.
    Nothing(Vec<usize>),
}

impl Requests {
    /// Counts one more who reserves.
    pub(super) fn enter(&self) -> Caller<'_> {
        self.callers.fetch_add(1, Ordering::Relaxed);
        Caller(self)
    }

    /// Waits for the turn to look at answers. Those who wait get it in the order in which they came.
    pub(super) async fn turn(&self) -> Turn<'_, Option<Request>> {
        self.turn.lock().await
    }

    /// Waits until one more request is under way than when this was called.
    pub(super) fn joined(&self) -> Notified<'_> {
        self.joined.notified()
    }

    fn under_way(&self) -> u64 {
        let answered = *self.answered.borrow();
        self.sent.load(Ordering::Relaxed) - answered
    }

    /// Waits until what has been sent by now is answered and noted.
    pub(super) async fn all_answered(&self) {
        let sent = self.sent.load(Ordering::Relaxed);
        let mut answered = self.answered.subscribe();
        let all = answered.wait_for(|answered| *answered >= sent).await;
        debug_assert!(all.is_ok(), "the sender is here");
    }

    /// Whether the server must be looked at before the next request: for what was taken in vain.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// It was looked at.
    pub(super) fn found(&self) {
        self.lost.store(false, Ordering::Release);
    }

    /// Nothing is asked for while this lives.
    pub(super) async fn stop_asking(&self) -> Turn<'_, u64> {
        self.leaving.lock().await
    }

    fn push(&self, request: Request) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.line().push_back(request);
        self.joined.notify_waiters();
    }

    fn line(&self) -> std::sync::MutexGuard<'_, VecDeque<Request>> {
        self.line.lock().expect("no holder of this lock panics")
    }
}

impl Shared {
    /// Sends a request for at most so many messages, unless what is under way or waits here already is enough for all who reserve: so
    /// nobody holds more than was asked for, also when callers have gone. A connection that is lost is noted, and is the business of
    /// whoever's turn it is.
    pub(super) async fn ask(&self, max: usize) -> Result<()> {
        let requests = &self.requests;
        let mut last = requests.leaving.lock().await;
        let under_way = requests.under_way();
        let coming = under_way + u64::from(!self.holds.is_idle());
        let enough = coming >= requests.callers.load(Ordering::Relaxed) as u64;
        if enough || requests.is_lost() || self.stop.is_cancelled() {
            return Ok(());
        }
        let over = match self.hot.standing().await {
            Ok(standing) => standing,
            Err(error) => return self.give_up(error),
        };
        // What becomes of those on a connection that was lost must be known first.
        if under_way == 0 || *last == over.generation() {
            *last = over.generation();
            requests.push(self.send(&over, max).await);
        }
        Ok(())
    }

    async fn send(&self, over: &Standing, max: usize) -> Request {
        let (plan, fair) = self.plan();
        let asking = Asking {
            incarnation: self.lease.current(),
            plan,
            fair,
            first: self.next_number.fetch_add(max as u64, Ordering::Relaxed),
            max,
            asked: Instant::now(),
        };
        let answer = over.ask(command(self, &asking)).await;
        Request { asking, answer }
    }

    /// Waits for the answer to the first request under way, and notes what it brought; `None` when none is under way. Cancel-safe.
    pub(super) async fn next_answer(
        self: &Arc<Self>,
        turn: &mut Option<Request>,
    ) -> Option<Result<Answered>> {
        if turn.is_none() {
            *turn = self.requests.line().pop_front();
        }
        let request = turn.as_mut()?;
        if let Err(error) = self.secure(request).await {
            return Some(Err(error));
        }
        let request = turn.take()?;
        let _answered = Answering(&self.requests);
        Some(self.note(request).await)
    }

    /// What must be done before an answer is taken: whoever waits for it may go away meanwhile.
    async fn secure(self: &Arc<Self>, request: &mut Request) -> Result<()> {
        let Asking {
            incarnation,
            first,
            max,
            ..
        } = &request.asking;
        let incarnation = Arc::clone(incarnation);
        match request.answer.wait().await {
            Err(error) if !is_forgotten(error) => {
                let (steps, count) = (self.keys.steps(), *max as u64);
                self.suspects.add(incarnation, steps, *first, count).await;
                Ok(())
            }
            Ok(Value::Int(_)) => {
                // In a task of its own, for the next name must be registered.
                let shared = Arc::clone(self);
                let replacing = async move { lease::replace(&shared, &incarnation).await };
                tokio::spawn(replacing).await.map_err(|_| closed())?
            }
            _ => Ok(()),
        }
    }

    async fn note(&self, request: Request) -> Result<Answered> {
        let Request { asking, answer } = request;
        match answer.waited_for() {
            Ok(Value::Int(_)) => Ok(Answered::Ask),
            Ok(answer) => keep(self, &asking, answer),
            Err(error) if is_forgotten(&error) => match self.hot.load_scripts().await {
                Ok(()) => Ok(Answered::Ask),
                Err(error) => self.give_up(error).map(|()| Answered::Ask),
            },
            Err(error) => self.give_up(error).map(|()| Answered::Ask),
        }
    }

    /// Notes that the connection is lost; other errors are the caller's.
    fn give_up(&self, error: RedisError) -> Result<(), BrokerError> {
        if !is_outage(&error) {
            return Err(self.hot.explain("reserve messages", error));
        }
        self.requests.lost.store(true, Ordering::Release);
        Ok(())
    }
}

fn is_forgotten(error: &RedisError) -> bool {
    error.code() == Some(script::FORGOTTEN)
}
