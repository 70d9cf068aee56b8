//! Asking one provider after the other: which error counts when none answers, and who is not asked for now.

use jiff::{SignedDuration, Timestamp};
use portfolio::store::Mark;

use super::Updater;
use crate::error::Error;
use crate::provider::Provider;

/// Under this key the store remembers when a provider may be asked again.
const LIMITS: &str = "limits";

/// The errors of those who were asked.
#[derive(Debug, Default)]
pub(super) struct Attempts(Vec<Error>);

impl Attempts {
    pub(super) fn failed(&mut self, error: Error) {
        self.0.push(error);
    }

    /// The error that counts: one that another try may mend, else the first that is not "has no such data".
    pub(super) fn error(self, what: &str) -> Error {
        let rank = |error: &Error| match error {
            error if error.is_retryable() => 0,
            Error::Unsupported { .. } => 2,
            _ => 1,
        };
        let best = self.0.into_iter().min_by_key(rank);
        best.unwrap_or_else(|| Error::not_found("no provider", what))
    }
}

impl Updater<'_> {
    /// The error of a provider that wants to be left alone, as it said to this or another process.
    pub(super) async fn resting(
        &self,
        provider: &dyn Provider,
    ) -> portfolio::Result<Option<Error>> {
        let mark = self.store.mark(provider.name(), LIMITS).await?;
        let left = mark
            .next_allowed_at
            .map(|at| at.duration_since(Timestamp::now()));
        let left = left.filter(SignedDuration::is_positive);
        Ok(left.map(|left| Error::RateLimited {
            provider: provider.name().to_owned(),
            problem: mark.last_error.unwrap_or_default(),
            wait: left.try_into().ok(),
        }))
    }

    /// Notes an error; a provider that wants to be left alone is, by other processes too.
    pub(super) async fn note(
        &self,
        provider: &dyn Provider,
        error: Error,
        attempts: &mut Attempts,
    ) -> portfolio::Result<()> {
        if let Error::RateLimited {
            wait: Some(wait),
            problem,
            ..
        } = &error
        {
            let now = Timestamp::now();
            let wait = SignedDuration::try_from(*wait).unwrap_or(SignedDuration::MAX);
            let mark = Mark {
                next_allowed_at: now.checked_add(wait).ok(),
                last_error: Some(problem.clone()),
                ..Mark::default()
            };
            let key = (LIMITS, LIMITS);
            self.store
                .put_mark(provider.name(), key, &mark, now)
                .await?;
        }
        attempts.failed(error);
        Ok(())
    }
}
