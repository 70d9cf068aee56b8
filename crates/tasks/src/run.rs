//! One run of a finance task: what it may use, what it notes on the way, and the envelope at its end.

use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use portfolio::analytics::{Envelope, Issue, ItemId, Status};

use portfolio::store::Store;

use worker::{Context, Failure, Outcome};

use crate::App;
use crate::answer::{Answer, Content, Reply};
use crate::catalogue::Spec;

/// A run under way; made when the task starts.
#[derive(Debug)]
pub struct Run<'c> {
    ctx: &'c Context,
    app: &'c App,
    spec: Spec,
    started: Instant,
    as_of: Option<Date>,
    warnings: Vec<Issue>,
    errors: Vec<Issue>,
}

impl<'c> Run<'c> {
    pub(crate) fn start(ctx: &'c Context, app: &'c App, spec: Spec) -> Self {
        Self {
            ctx,
            app,
            spec,
            started: Instant::now(),
            as_of: None,
            warnings: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// The worker's side of the run.
    pub fn ctx(&self) -> &'c Context {
        self.ctx
    }

    /// The application.
    pub fn app(&self) -> &'c App {
        self.app
    }

    /// The finance database; see [`App::store`].
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn store(&self) -> Result<&'c Store, Outcome> {
        self.app.store().await
    }

    /// True when the soft time limit has passed or the run was asked to stop: save what is done, and end.
    pub fn must_stop(&self) -> bool {
        self.ctx.is_cancelled()
    }

    /// The last day that the result speaks of; today (UTC) unless set.
    pub fn set_as_of(&mut self, date: Date) {
        self.as_of = Some(date);
    }

    /// Notes what went wrong with one item; the others go on, and the run ends as `partial`.
    pub fn item_failed<I: Into<ItemId>>(
        &mut self,
        scope: &str,
        id: Option<I>,
        code: &str,
        message: impl Into<String>,
    ) {
        self.errors.push(issue(scope, id, code, message.into()));
    }

    /// Notes something odd, which makes nothing fail.
    pub fn warn<I: Into<ItemId>>(
        &mut self,
        scope: &str,
        id: Option<I>,
        code: &str,
        message: impl Into<String>,
    ) {
        self.warnings.push(issue(scope, id, code, message.into()));
    }

    /// Notes that the soft time limit ended the run before all was done.
    pub fn stopped_early(&mut self, left: impl std::fmt::Display) {
        let message = format!("stopped at the soft time limit with {left} left");
        self.item_failed("task", None::<i64>, "SoftTimeLimitExceeded", message);
    }

    /// Takes over what the domain has noted and returns its fields. The status follows from the answer and the errors.
    pub fn adopt<T>(&mut self, envelope: Envelope<T>) -> T {
        self.as_of = envelope.as_of.or(self.as_of);
        self.warnings.extend(envelope.warnings);
        self.errors.extend(envelope.errors);
        envelope.data
    }

    /// Tries again later by the task's own retry policy, but not before `at_least` has passed: for a `Retry-After`.
    pub fn retry_after(&self, failure: Failure, at_least: Duration) -> Outcome {
        let policy = self.spec.options().retry;
        let countdown = policy.delay(self.ctx.retries()).max(at_least);
        self.ctx
            .retry()
            .countdown(countdown)
            .failure(failure)
            .into()
    }

    pub(crate) fn end<T>(self, answer: Answer<T>) -> Reply<T> {
        let (status, data) = match answer {
            Answer::Literal(result) => return Reply::Literal(result),
            Answer::Done(data) if self.errors.is_empty() => {
                (Status::Success, Content::Fields(data))
            }
            Answer::Done(data) => (Status::Partial, Content::Fields(data)),
            Answer::Empty(data) => (Status::Empty, Content::Fields(data)),
            Answer::Skipped(reason) => (Status::Skipped, Content::Skipped(reason)),
        };
        let today = || jiff::Timestamp::now().to_zoned(TimeZone::UTC).date();
        Reply::Envelope(Envelope {
            status,
            task: self.ctx.name().to_owned(),
            as_of: Some(self.as_of.unwrap_or_else(today)),
            duration_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            data,
            warnings: self.warnings,
            errors: self.errors,
        })
    }
}

fn issue<I: Into<ItemId>>(scope: &str, id: Option<I>, code: &str, message: String) -> Issue {
    Issue {
        scope: scope.to_owned(),
        id: id.map(Into::into),
        code: code.to_owned(),
        message,
    }
}
