//! Errors of market data's providers as outcomes, and as lines of an envelope.

use market_data::{Error, Issue};
use worker::Outcome;

use crate::{Run, named};

/// Notes assets that failed; the run ends as `partial`.
pub fn items_failed(run: &mut Run<'_>, issues: &[Issue]) {
    for issue in issues {
        let id = Some(issue.symbol.as_str());
        run.item_failed("asset", id, &issue.code, issue.message.as_str());
    }
}

/// Notes what is odd about assets.
pub fn items_odd(run: &mut Run<'_>, issues: &[Issue]) {
    for issue in issues {
        let id = Some(issue.symbol.as_str());
        run.warn("asset", id, &issue.code, issue.message.as_str());
    }
}

/// The end of a run of which every asset failed: by the error that another try may mend, if there is one. A provider that
/// wants to be left alone is, for at least that long.
pub fn provider_failed(run: &Run<'_>, issues: &[Issue]) -> Option<Outcome> {
    let causes = issues.iter().filter_map(|issue| issue.cause.as_ref());
    let worst = causes.min_by_key(|error| !error.is_retryable())?;
    let text = match issues.len() {
        1 => worst.to_string(),
        count => format!("all {count} assets failed; one of them: {worst}"),
    };
    let outcome = named(kind(worst), text);
    Some(match (outcome, worst.retry_after()) {
        (Outcome::Fail(failure), Some(wait)) => run.retry_after(*failure, wait),
        (outcome, _) => outcome,
    })
}

/// The exception type that callers see.
fn kind(error: &Error) -> &'static str {
    match error {
        Error::RateLimited { .. } => "RateLimited",
        Error::Unavailable { .. } | Error::BadPayload { .. } => "ProviderUnavailable",
        Error::Auth { .. } => "Forbidden",
        Error::NotFound { .. } | Error::Unsupported { .. } | Error::Settings { .. } => "NotFound",
    }
}
