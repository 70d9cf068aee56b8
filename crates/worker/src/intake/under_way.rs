//! Reservations under way: one, and on a server that would wait for the next a second one while answers come full. Only the first of
//! them waits for messages to come: another that waits could only keep them from other workers, and take them apart.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use broker::{BrokerError, Consumer, Delivery};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, MaybeDone, maybe_done};

use super::Reserved;
use crate::engine::Engine;
use crate::pools::Place;

/// Most requests under way.
const MOST: usize = 2;

/// How large a message is taken to be before the first one came, in bytes.
const UNKNOWN: usize = 64 * 1_024;

/// What it takes to ask for messages.
#[derive(Debug)]
pub(super) struct Reserver {
    engine: Arc<Engine>,
    consumer: Arc<dyn Consumer>,
    /// How large a message usually is, in bytes.
    typical: AtomicUsize,
}

impl Reserver {
    pub(super) fn new(engine: Arc<Engine>, consumer: Arc<dyn Consumer>) -> Self {
        if consumer.overlaps() {
            engine.pool.places().share_with_another();
        }
        Self {
            engine,
            consumer,
            typical: AtomicUsize::new(UNKNOWN),
        }
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Waits for places, then for room.
    async fn prepare(&self) -> Place {
        let places = self.engine.pool.places().take_share().await;
        self.wait_for_room(places).await
    }

    async fn wait_for_room(&self, places: Place) -> Place {
        let limit = self.engine.settings.reserve_bytes;
        self.engine.activity.room(limit).await;
        places
    }

    /// How many bytes more may be held.
    fn room(&self) -> usize {
        let held = self.engine.activity.bytes();
        self.engine.settings.reserve_bytes.saturating_sub(held)
    }

    fn typical(&self) -> usize {
        self.typical.load(Ordering::Relaxed).max(1)
    }

    fn reserved(&self, places: Place, batch: Vec<Delivery>) -> Reserved {
        self.engine.vitals.take(batch.len());
        let arriving = self.engine.activity.arriving(self.measure(&batch));
        Reserved {
            places,
            batch,
            arriving,
        }
    }

    /// Learns how large messages are here: it believes a large one at once and small ones slowly. Returns how large these are together.
    fn measure(&self, batch: &[Delivery]) -> usize {
        let sizes = batch.iter().map(|delivery| delivery.message.size());
        let typical = self.typical.load(Ordering::Relaxed);
        let (typical, all) = sizes.fold((typical, 0), |(mean, all), size| {
            ((mean - mean / 8 + size / 8).max(size), all + size)
        });
        self.typical.store(typical, Ordering::Relaxed);
        all
    }
}

type Batch<'a> = BoxFuture<'a, Result<Vec<Delivery>, BrokerError>>;

/// A request that has left.
struct Asked<'a> {
    places: Place,
    /// No more than there are places.
    most: usize,
    /// How large so many messages are taken to be together.
    size: usize,
    batch: MaybeDone<Batch<'a>>,
}

impl Asked<'_> {
    fn is_answered(&self) -> bool {
        matches!(self.batch, MaybeDone::Done(_))
    }

    fn is_in_vain(&self) -> bool {
        matches!(&self.batch, MaybeDone::Done(Ok(batch)) if batch.is_empty())
    }
}

/// The requests under way, in the order in which they have left.
pub(super) struct UnderWay<'a> {
    reserver: &'a Reserver,
    asked: VecDeque<Asked<'a>>,
    /// The next one's places, when there is room too.
    preparing: MaybeDone<BoxFuture<'a, Place>>,
    /// Whether the last answer was as much as was asked for. Then there is probably more.
    full: bool,
}

impl<'a> UnderWay<'a> {
    pub(super) fn new(reserver: &'a Reserver) -> Self {
        Self {
            reserver,
            asked: VecDeque::new(),
            preparing: maybe_done(reserver.prepare().boxed()),
            full: false,
        }
    }

    /// Waits for the answer to the first request. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Reserved, BrokerError> {
        poll_fn(|context| {
            self.advance(context);
            match self.asked.pop_front_if(|first| first.is_answered()) {
                Some(first) => Poll::Ready(self.answer(first)),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Has the requests leave that may.
    pub(super) async fn leave(&mut self) {
        poll_fn(|context| {
            self.advance(context);
            Poll::Ready(())
        })
        .await;
    }

    /// Drops what is not answered, and returns what is.
    pub(super) fn end(&mut self) -> Vec<Result<Reserved, BrokerError>> {
        self.preparing = maybe_done(self.reserver.prepare().boxed());
        let asked = std::mem::take(&mut self.asked);
        let answered = asked.into_iter().filter(Asked::is_answered);
        answered.map(|asked| self.answer(asked)).collect()
    }

    /// Always from the first to the last: the consumer gives messages in the order in which it is first polled for them.
    fn advance(&mut self, context: &mut Context<'_>) {
        for asked in &mut self.asked {
            let _answered = asked.batch.poll_unpin(context);
        }
        self.drop_needless();
        while let Some(mut next) = self.next_request(context) {
            let _answered = next.batch.poll_unpin(context);
            self.asked.push_back(next);
        }
    }

    /// Gives up requests behind the first that nothing was there for.
    fn drop_needless(&mut self) {
        while self.asked.len() > 1 && self.asked.pop_back_if(|last| last.is_in_vain()).is_some() {
            self.full = false;
        }
    }

    /// The next request, if it may leave now and is prepared.
    fn next_request(&mut self, context: &mut Context<'_>) -> Option<Asked<'a>> {
        let reserver = self.reserver;
        let overlaps = self.full && reserver.consumer.overlaps();
        if self.asked.len() >= if overlaps { MOST } else { 1 } {
            return None;
        }
        let room = self.prepare(context)?;
        let promised: usize = self.asked.iter().map(|asked| asked.size).sum();
        let fitting = room.saturating_sub(promised) / reserver.typical();
        if fitting == 0 && !self.asked.is_empty() {
            // There may be room when those under way have come and are known.
            return None;
        }
        let next = maybe_done(reserver.prepare().boxed());
        let mut prepared = std::mem::replace(&mut self.preparing, next);
        let places = Pin::new(&mut prepared).take_output()?;
        let most = places.count().min(fitting.max(1));
        Some(Asked {
            places,
            most,
            size: most.saturating_mul(reserver.typical()),
            batch: maybe_done(if self.asked.is_empty() {
                reserver.consumer.reserve(most)
            } else {
                reserver.consumer.reserve_behind(most)
            }),
        })
    }

    /// How much room there is, in bytes, when there are places. The only request under way waits for room; a second one does not leave
    /// without it.
    fn prepare(&mut self, context: &mut Context<'_>) -> Option<usize> {
        loop {
            if self.preparing.poll_unpin(context).is_pending() {
                return None;
            }
            let room = self.reserver.room();
            if room > 0 || !self.asked.is_empty() {
                return Some(room);
            }
            // What has come since has taken it.
            let places = Pin::new(&mut self.preparing).take_output()?;
            self.preparing = maybe_done(self.reserver.wait_for_room(places).boxed());
        }
    }

    fn answer(&mut self, asked: Asked<'a>) -> Result<Reserved, BrokerError> {
        let Asked {
            places,
            most,
            mut batch,
            ..
        } = asked;
        let answer = Pin::new(&mut batch).take_output();
        let answer = answer.expect("only what is answered is asked for its answer");
        self.full = answer.as_ref().is_ok_and(|batch| batch.len() >= most);
        Ok(self.reserver.reserved(places, answer?))
    }
}
