//! The beat itself: tries to lead, leads, and begins anew after every loss. It never dies of an error.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use broker::{Coordinator, Fence, Result, ResultBackend};
use client::Client;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, sleep};
use tokio_util::sync::CancellationToken;

use crate::Source;
use crate::broker_clock::BrokerClock;
use crate::clock::Clock;
use crate::keeper::Keeper;
use crate::known::KnownSchedule;
use crate::metrics::Metrics;
use crate::outlook::Outlook;
use crate::reign::Reign;
use crate::state::LEASE;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a leader renews in each lease.
pub(crate) const RENEWALS_PER_LEASE: u32 = 3;
/// A standby asks this many times for each lease.
const ASKS_PER_LEASE: u32 = 10;

/// What a beat needs.
#[derive(Debug)]
pub struct BeatParams {
    /// Sends, and knows the broker.
    pub client: Client,
    /// Gives what is sent; problems are logged.
    pub source: Arc<dyn Source>,
    /// Names this beat among all on the broker; must be unique.
    pub name: String,
    /// How long others wait after the leader's last renewal before one of them leads.
    pub lease: Duration,
    /// `beat_cron_starting_deadline`: a crontab slot that is later than this is skipped.
    pub cron_starting_deadline: Option<Duration>,
    /// This machine's clock. Beat goes by the broker's, and says by how much this one is off.
    pub clock: Arc<dyn Clock>,
}

/// What a beat does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has not reached the broker yet, or lost it.
    Connecting,
    /// Another one leads.
    Standby,
    /// Sends what is due.
    Leader,
}

/// A scheduler. Any number may run on one broker; one of them leads.
#[derive(Debug)]
pub struct Beat {
    params: BeatParams,
    clock: Arc<BrokerClock>,
    keeper: Arc<Keeper>,
    status: watch::Sender<(Role, Instant)>,
    known: Arc<KnownSchedule>,
    metrics: Metrics,
}

impl Beat {
    /// A beat that does nothing yet.
    pub fn new(params: BeatParams) -> Self {
        let clock = Arc::new(BrokerClock::new(params.clock.clone()));
        Self {
            keeper: Arc::new(Keeper::new(params.source.clone(), clock.clone())),
            clock,
            status: watch::Sender::new((Role::Connecting, Instant::now())),
            known: Arc::new(KnownSchedule::new(Arc::clone(&params.source))),
            metrics: Metrics::default(),
            params,
        }
    }

    /// Leads or stands by until `stop`, then gives the lease up.
    pub async fn run(&self, stop: CancellationToken) {
        stop.run_until_cancelled(self.serve()).await;
        if let Err(error) = self.coordinator().release(LEASE, self.name()).await {
            tracing::debug!(%error, "the lease was not given up; it runs out by itself");
        }
        self.keeper.finish().await;
    }

    /// What it does now.
    pub fn role(&self) -> Role {
        self.status.borrow().0
    }

    /// Waits until it has this role.
    pub async fn wait_for(&self, role: Role) {
        let mut status = self.status.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        status.wait_for(|(now, _)| *now == role).await.ok();
    }

    /// Waits until it leads or stands by.
    pub async fn wait_until_ready(&self) {
        let mut status = self.status.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        status
            .wait_for(|(now, _)| *now != Role::Connecting)
            .await
            .ok();
    }

    /// Whether it has moved within this time.
    pub fn is_alive(&self, within: Duration) -> bool {
        self.age() < within
    }

    /// Its metrics as OpenMetrics text.
    pub fn metrics_text(&self) -> String {
        self.metrics.text()
    }

    /// How long ago it moved.
    pub fn age(&self) -> Duration {
        self.status.borrow().1.elapsed()
    }

    async fn serve(&self) {
        let mut pause = FIRST_PAUSE;
        let mut outlook = None;
        loop {
            match self.try_to_lead(&mut outlook).await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(error) => {
                    tracing::warn!(%error, ?pause, "the broker cannot be used, trying again");
                    self.tick(Role::Connecting);
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Leads until the lease is lost, or stands by for a moment when somebody else holds it. The outlook stays from one term to
    /// the next.
    async fn try_to_lead(&self, outlook: &mut Option<Outlook>) -> Result<()> {
        let outlook = match outlook {
            Some(outlook) => outlook,
            none => none.insert(Outlook::read(self).await?),
        };
        let Some(fence) = self.acquire().await? else {
            self.tick(Role::Standby);
            let pause = self.lease() / ASKS_PER_LEASE;
            return outlook.stand_by(self, pause).await;
        };
        let Some(reign) = Reign::begin(self, fence, outlook).await? else {
            return Ok(());
        };
        tracing::info!(name = %self.name(), fence = fence.0, "leading");
        self.metrics.began_to_lead();
        let ended = tokio::select! {
            ended = reign.rule() => ended,
            () = self.keeper.run() => Ok(()),
        };
        tracing::info!(name = %self.name(), "no longer leading");
        ended
    }

    /// Carries something long out while the lease is renewed; `None` when it is lost.
    pub(crate) async fn while_held<T>(
        &self,
        fence: Fence,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>> {
        let mut work = pin!(work);
        let pause = self.lease() / RENEWALS_PER_LEASE;
        let mut renewals = interval_at(Instant::now() + pause, pause);
        loop {
            tokio::select! {
                done = &mut work => return Ok(Some(done)),
                _ = renewals.tick() => {
                    self.tick(self.role());
                    if self.acquire().await? != Some(fence) {
                        return Ok(None);
                    }
                }
            }
        }
    }

    pub(crate) fn tick(&self, role: Role) {
        self.metrics.leads(role == Role::Leader);
        self.status.send_replace((role, Instant::now()));
    }

    /// Acquires or renews the lease, and learns the broker's time.
    pub(crate) async fn acquire(&self) -> Result<Option<Fence>> {
        let fence = self
            .coordinator()
            .acquire(LEASE, self.name(), self.lease())
            .await?;
        self.learn_time().await?;
        Ok(fence)
    }

    /// Learns the broker's time, unless it is known well enough.
    pub(crate) async fn learn_time(&self) -> Result<()> {
        let every = self.lease() / RENEWALS_PER_LEASE;
        self.clock.ask(self.coordinator(), every).await?;
        self.metrics.skew(self.clock.skew());
        Ok(())
    }

    pub(crate) fn coordinator(&self) -> &dyn Coordinator {
        &*self.params.client.backends().coordinator
    }

    pub(crate) fn keeper(&self) -> &Arc<Keeper> {
        &self.keeper
    }

    pub(crate) fn client(&self) -> &Client {
        &self.params.client
    }

    pub(crate) fn results(&self) -> Option<&dyn ResultBackend> {
        self.params.client.backends().results.as_deref()
    }

    pub(crate) fn known(&self) -> &Arc<KnownSchedule> {
        &self.known
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn name(&self) -> &str {
        &self.params.name
    }

    pub(crate) fn lease(&self) -> Duration {
        self.params.lease
    }

    /// What the broker's clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How late a crontab's slot may be sent.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.params.cron_starting_deadline
    }
}
