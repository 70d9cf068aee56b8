//! The envelope around a task's own fields.

use std::time::Instant;

use jiff::tz::TimeZone;
use portfolio::analytics::{Envelope, Issue, Status};
use worker::Context;

/// A run that will end with an envelope; made when the task starts.
#[derive(Debug)]
pub struct Run {
    task: String,
    started: Instant,
    errors: Vec<Issue>,
}

impl Run {
    /// Starts the clock.
    pub fn start(ctx: &Context) -> Self {
        Self {
            task: ctx.name().to_owned(),
            started: Instant::now(),
            errors: Vec::new(),
        }
    }

    /// Notes what went wrong with one item; the others go on.
    pub fn item_failed(&mut self, scope: &str, code: &str, message: String) {
        self.errors.push(Issue {
            scope: scope.to_owned(),
            id: None,
            code: code.to_owned(),
            message,
        });
    }

    /// The envelope: `partial` when an item failed, else `success`; as of today (UTC).
    pub fn end<T>(self, data: T) -> Envelope<T> {
        Envelope {
            status: if self.errors.is_empty() {
                Status::Success
            } else {
                Status::Partial
            },
            task: self.task,
            as_of: Some(jiff::Timestamp::now().to_zoned(TimeZone::UTC).date()),
            duration_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            data,
            warnings: Vec::new(),
            errors: self.errors,
        }
    }
}
