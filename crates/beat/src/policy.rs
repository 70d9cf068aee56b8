//! What an entry's owner decides beside the schedule: missed slots, overlapping runs, jitter, bounds. Pure data.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How late a slot may be under [`Misfire::Skip`] unless the entry says otherwise.
const GRACE: Duration = Duration::from_secs(10);
/// How far back [`Misfire::All`] catches up unless the entry says otherwise.
const DAY: Duration = Duration::from_secs(86_400);

/// What becomes of slots that passed while no beat could send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misfire {
    /// They are counted and left out.
    Skip,
    /// The latest of them runs, as in Celery.
    #[default]
    One,
    /// Each of them runs, oldest first.
    All,
}

/// What becomes of a slot whose entry's last run has not ended yet. Whether it has is asked of the result backend, so a task
/// that ignores its result counts as running until `overlap_limit` has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// Both run, as in Celery.
    #[default]
    Allow,
    /// The slot is left out.
    Skip,
    /// The latest slot waits for the end of the last run.
    QueueOne,
    /// The last run is revoked and terminated.
    CancelOther,
}

/// The decisions. The default is what Celery does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// About missed slots.
    pub misfire: Misfire,
    /// How late a slot may still be sent: 10 s for `skip`, for ever for `one`, a day for `all` when absent.
    pub misfire_window: Option<Duration>,
    /// About overlapping runs.
    pub overlap: Overlap,
    /// After this time a run without a result counts as ended; a day when absent.
    pub overlap_limit: Option<Duration>,
    /// Slots are sent up to this much later, each slot by an amount of its own that all beats agree on.
    pub jitter: Duration,
    /// No slot before this time.
    pub start: Option<Timestamp>,
    /// No slot after this time.
    pub end: Option<Timestamp>,
    /// How often it runs at most.
    pub max_runs: Option<u64>,
    /// Whether slots that passed while the entry was disabled count as missed ones; otherwise it begins when it is enabled.
    pub catch_up: bool,
}

impl Policy {
    /// How late a slot may still be sent.
    pub(crate) fn window(&self) -> Option<Duration> {
        self.misfire_window.or(match self.misfire {
            Misfire::Skip => Some(GRACE),
            Misfire::One => None,
            Misfire::All => Some(DAY),
        })
    }

    /// Whether a run that was sent at this time and has no result may still be running.
    pub(crate) fn may_run(&self, sent_at: Timestamp, now: Timestamp) -> bool {
        let age = Duration::try_from(now.duration_since(sent_at)).unwrap_or_default();
        age < self.overlap_limit.unwrap_or(DAY)
    }
}

impl fmt::Display for Policy {
    /// What differs from the default, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match self.misfire {
            Misfire::One => {}
            Misfire::Skip => parts.push("missed slots are skipped".to_owned()),
            Misfire::All => parts.push("all missed slots run".to_owned()),
        }
        let window = self
            .misfire_window
            .map(|window| format!("at most {window:?} late"));
        parts.extend(window);
        match self.overlap {
            Overlap::Allow => {}
            Overlap::Skip => parts.push("skipped while the last run goes on".to_owned()),
            Overlap::QueueOne => parts.push("waits for the last run".to_owned()),
            Overlap::CancelOther => parts.push("cancels the last run".to_owned()),
        }
        if !self.jitter.is_zero() {
            parts.push(format!("jitter {:?}", self.jitter));
        }
        parts.extend(self.start.map(|start| format!("from {start}")));
        parts.extend(self.end.map(|end| format!("until {end}")));
        parts.extend(self.max_runs.map(|max| format!("at most {max} runs")));
        f.write_str(&parts.join(", "))
    }
}
