//! All finance tasks as data: names, arguments, queue, limits, retries. One table for each system that they come from.
//!
//! What a task does is in the crate of its worker; a worker registers a task with its [`Spec`] from here, and tests hold the
//! table against the specification.

mod dashboard;
mod finflow;
mod partner;
mod senangkira;
mod site;

pub use dashboard::*;
pub use finflow::*;
pub use partner::*;
pub use senangkira::*;
pub use site::*;

use worker::{Outcome, RetryPolicy, TaskOptions};

use crate::arguments::Field;
use crate::failure::AUTORETRY;

/// What is known about a task before it runs.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The registered name.
    pub name: &'static str,
    /// Other names of the same task.
    pub aliases: &'static [&'static str],
    /// The queue of callers that name none.
    pub queue: &'static str,
    /// The arguments, in the order of positions.
    pub fields: &'static [Field],
    /// Two arguments of which the first must not be later than the second.
    pub ordered: Option<(&'static str, &'static str)>,
    /// Time limits.
    pub limits: Limits,
    /// Runs after an error that another try may mend.
    pub retry: Retry,
    /// Seconds after which a call that has not started is dropped.
    pub expires_s: Option<u32>,
}

/// Time limits in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The run is asked to end.
    pub soft_s: u32,
    /// The run is ended.
    pub hard_s: u32,
}

/// Retries: `min(cap, base × 2^n)` seconds apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many.
    pub max: u32,
    /// Seconds before the first.
    pub base_s: u32,
    /// The longest pause in seconds.
    pub cap_s: u32,
    /// A random part of the pause instead of all of it.
    pub jitter: bool,
}

impl Limits {
    const SHORT: Self = Self::new(20, 30);
    const MINUTE: Self = Self::new(50, 60);
    /// The limits of the site's settings.
    const SITE: Self = Self::new(60, 120);
    const NORMAL: Self = Self::new(240, 300);
    const LONG: Self = Self::new(840, 900);

    const fn new(soft_s: u32, hard_s: u32) -> Self {
        Self { soft_s, hard_s }
    }
}

impl Retry {
    const NONE: Self = Self::times(0, 0);
    const NORMAL: Self = Self::times(3, 60);

    const fn times(max: u32, base_s: u32) -> Self {
        Self {
            max,
            base_s,
            cap_s: 600,
            jitter: true,
        }
    }
}

impl Spec {
    /// A task without arguments, with the limits and retries that most have.
    const fn normal(name: &'static str, queue: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            queue,
            fields: &[],
            ordered: None,
            limits: Limits::NORMAL,
            retry: Retry::NORMAL,
            expires_s: None,
        }
    }

    /// The options of a worker's registration.
    pub fn options(&self) -> TaskOptions {
        TaskOptions {
            queue: Some(self.queue.to_owned()),
            time_limit: Some(self.limits.hard_s.into()),
            soft_time_limit: Some(self.limits.soft_s.into()),
            expires: self.expires_s.map(f64::from),
            autoretry_for: AUTORETRY.map(str::to_owned).to_vec(),
            retry: RetryPolicy {
                max_retries: Some(self.retry.max),
                retry_backoff: Some(self.retry.base_s.max(1)),
                retry_backoff_max: self.retry.cap_s,
                retry_jitter: self.retry.jitter,
                ..RetryPolicy::default()
            },
            ..TaskOptions::default()
        }
    }
}

impl Spec {
    /// Whether a run that ended so, after so many retries, is tried again by itself.
    pub(crate) fn retries(&self, outcome: &Outcome, retries: u32) -> bool {
        match outcome {
            Outcome::Fail(failure) => {
                let options = self.options();
                let policy = options.retry_policy_for(&failure.exception.exc_type);
                policy.is_some_and(|policy| policy.allows(retries))
            }
            _ => false,
        }
    }
}

/// Every task, by system.
pub const ALL: [&[Spec]; 5] = [
    finflow::TASKS,
    dashboard::TASKS,
    partner::TASKS,
    site::TASKS,
    senangkira::TASKS,
];

/// The task of this name or alias.
pub fn named(name: &str) -> Option<&'static Spec> {
    let tasks = ALL.iter().flat_map(|tasks| tasks.iter());
    tasks
        .into_iter()
        .find(|spec| spec.name == name || spec.aliases.contains(&name))
}
