//! `dashboard.tasks.refresh_dashboard_cache` and `warm_dashboard_cache`: users' dashboards, ready before somebody looks.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use portfolio::analytics::{PARTS, RefreshRequest, expiring_parts, refresh, refresh_dashboard};
use portfolio::progress::Progress;
use portfolio::store::Store;
use portfolio::{Error, Result as Found};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{REFRESH_DASHBOARD_CACHE, Spec, WARM_DASHBOARD_CACHE};
use tasks::{Answer, FinanceTask, Reporter, Run, failure};
use worker::Outcome;

/// How long refreshed entries are fresh.
const TIME_TO_LIVE: SignedDuration = SignedDuration::from_mins(90);
/// Who did something in this time is warmed first.
const ACTIVE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Computes the dashboards of all users, or of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefreshDashboardCache {
    /// Only this user's.
    pub user_id: Option<i64>,
}

/// What a refresh has written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CacheRefreshed {
    /// Users whose dashboard is fresh now.
    pub users: usize,
    /// Entries with a new value.
    pub entries_written: usize,
    /// Entries whose value was right.
    pub entries_unchanged: usize,
    /// Users whose dashboard could not be made.
    pub failed: usize,
    /// How long it took.
    pub duration_ms: u64,
}

impl FinanceTask for RefreshDashboardCache {
    const SPEC: Spec = REFRESH_DASHBOARD_CACHE;
    type Data = CacheRefreshed;

    fn lock(&self) -> Option<String> {
        Some(lock_key("refresh", self.user_id))
    }

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<CacheRefreshed>, Outcome> {
        let started = Instant::now();
        let users = users(run, self.user_id).await?;
        let mut work = Refresh {
            owner: run.ctx().id().to_owned(),
            now: Timestamp::now(),
            data: CacheRefreshed::default(),
        };
        let failed = each(run, &users, &mut work).await?;
        let mut data = CacheRefreshed {
            failed,
            ..work.data
        };
        data.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(answer(users.is_empty(), data))
    }
}

/// Everything of one user.
struct Refresh {
    owner: String,
    now: Timestamp,
    data: CacheRefreshed,
}

impl ForUser for Refresh {
    async fn work(&mut self, store: &Store, user: i64) -> Found<()> {
        update_figures(store, user, &self.owner).await?;
        let refreshed = refresh_dashboard(store, user, &PARTS, self.now, TIME_TO_LIVE).await?;
        self.data.users += 1;
        self.data.entries_written += refreshed.written;
        self.data.entries_unchanged += refreshed.unchanged;
        Ok(())
    }
}

/// Computes the entries that are missing or nearly stale.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WarmDashboardCache {
    /// Only this user's.
    pub user_id: Option<i64>,
    /// Seconds that entries are fresh.
    pub ttl_s: i64,
}

/// What warming has done.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CacheWarmed {
    /// Users looked at.
    pub users: usize,
    /// Entries computed.
    pub warmed: usize,
    /// Entries that were fresh enough.
    pub already_warm: usize,
    /// Users whose dashboard could not be made.
    pub failed: usize,
}

impl FinanceTask for WarmDashboardCache {
    const SPEC: Spec = WARM_DASHBOARD_CACHE;
    type Data = CacheWarmed;

    fn lock(&self) -> Option<String> {
        Some(lock_key("warm", self.user_id))
    }

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<CacheWarmed>, Outcome> {
        let users = users(run, self.user_id).await?;
        let mut work = Warm {
            owner: run.ctx().id().to_owned(),
            now: Timestamp::now(),
            life: SignedDuration::from_secs(self.ttl_s),
            data: CacheWarmed::default(),
        };
        let failed = each(run, &users, &mut work).await?;
        let data = CacheWarmed {
            failed,
            ..work.data
        };
        Ok(answer(users.is_empty(), data))
    }
}

/// What is missing of one user.
struct Warm {
    owner: String,
    now: Timestamp,
    life: SignedDuration,
    data: CacheWarmed,
}

impl ForUser for Warm {
    async fn work(&mut self, store: &Store, user: i64) -> Found<()> {
        let cold = expiring_parts(store, user, self.now).await?;
        self.data.already_warm += PARTS.len() - cold.len();
        if !cold.is_empty() {
            update_figures(store, user, &self.owner).await?;
            let refreshed = refresh_dashboard(store, user, &cold, self.now, self.life).await?;
            self.data.warmed += refreshed.written + refreshed.unchanged;
        }
        self.data.users += 1;
        Ok(())
    }
}

/// What is done for each user.
trait ForUser: Send {
    fn work(&mut self, store: &Store, user: i64) -> impl Future<Output = Found<()>> + Send;
}

fn lock_key(what: &str, user_id: Option<i64>) -> String {
    let scope = user_id.map_or_else(|| "all".to_owned(), |id| format!("user:{id}"));
    format!("dashboard:{what}:{scope}")
}

fn answer<T>(empty: bool, data: T) -> Answer<T> {
    if empty {
        Answer::Empty(data)
    } else {
        Answer::Done(data)
    }
}

/// The users in scope, the active ones first.
async fn users(run: &Run<'_>, user_id: Option<i64>) -> Result<Vec<i64>, Outcome> {
    let store = run.store().await?;
    match user_id {
        // A user that does not exist is an error.
        Some(id) => store.require_user(id).await.map(|()| vec![id]),
        None => store.users_by_activity(Timestamp::now() - ACTIVE).await,
    }
    .map_err(failure)
}

/// Brings the stored figures of a user up to date; cheap when nothing has changed. Another run that is at it does as well.
async fn update_figures(store: &Store, user_id: i64, owner: &str) -> Found<()> {
    let request = RefreshRequest {
        user_id: Some(user_id),
        ..RefreshRequest::new(owner)
    };
    match refresh(store, &request, &mut |_| {}, &|| false).await {
        // What did not fail can still be shown.
        Ok(_) | Err(Error::EveryPortfolioFailed { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Does something for each user; the failure of one stops none of the others. Returns how many failed.
async fn each(run: &mut Run<'_>, users: &[i64], what: &mut impl ForUser) -> Result<usize, Outcome> {
    let store = run.store().await?;
    let ctx = run.ctx();
    let mut first = None;
    let mut failed = 0;
    Reporter::around(ctx, async |reporter| {
        for (done, &user) in (0..).zip(users) {
            report(&reporter, done, users.len());
            if run.must_stop() {
                run.stopped_early(format!("{} users", users.len() as u64 - done));
                return;
            }
            if let Err(error) = what.work(store, user).await {
                failed += 1;
                run.item_failed("user", Some(user), "failed", error.to_string());
                first.get_or_insert(error);
            }
        }
        report(&reporter, users.len() as u64, users.len());
    })
    .await;
    match first {
        Some(error) if failed == users.len() => Err(failure(error)),
        _ => Ok(failed),
    }
}

fn report(reporter: &Reporter, current: u64, users: usize) {
    reporter.report(Progress {
        phase: "user",
        current,
        total: users as u64,
    });
}
