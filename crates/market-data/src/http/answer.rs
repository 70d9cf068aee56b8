//! What an HTTP answer's status and headers mean.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{DATE, ETAG, HeaderMap, LAST_MODIFIED, RETRY_AFTER};

use crate::error::Error;
use crate::model::Validators;

/// Reads HTTP's dates.
const DATES: DateTimeParser = DateTimeParser::new();

/// The error that a status stands for; none for those with a body to read, and for "not modified".
pub(super) fn refused(
    provider: &str,
    what: &str,
    status: StatusCode,
    headers: &HeaderMap,
) -> Option<Error> {
    let problem = format!("HTTP {status}");
    let provider = provider.to_owned();
    let wait = retry_after(headers);
    match status.as_u16() {
        200..=299 | 304 => None,
        404 | 410 => Some(Error::not_found(&provider, what)),
        401 | 403 => Some(Error::Auth { provider, problem }),
        429 => Some(Error::RateLimited {
            provider,
            problem,
            wait,
        }),
        408 | 500..=599 => Some(Error::Unavailable {
            provider,
            problem,
            wait,
        }),
        _ => Some(Error::BadPayload { provider, problem }),
    }
}

/// `Retry-After` in seconds, or as a date beside the server's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| DATES.parse_timestamp(text).ok();
    let now = headers.get(DATE).and_then(|now| date(now.to_str().ok()?));
    let left = date(text)?.duration_since(now.unwrap_or_else(Timestamp::now));
    Some(Duration::try_from(left).unwrap_or_default())
}

/// What an unchanged answer can be recognised by next time.
pub(super) fn validators(headers: &HeaderMap) -> Validators {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok().map(str::to_owned))
    };
    Validators {
        etag: text(ETAG),
        last_modified: text(LAST_MODIFIED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        headers.insert(DATE, "Wed, 02 Mar 2005 21:00:00 GMT".parse().unwrap());
        headers.insert(
            RETRY_AFTER,
            "Wed, 02 Mar 2005 21:00:30 GMT".parse().unwrap(),
        );
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(30)));
        headers.insert(
            RETRY_AFTER,
            "Wed, 02 Mar 2005 20:00:00 GMT".parse().unwrap(),
        );
        assert_eq!(retry_after(&headers), Some(Duration::ZERO));
        headers.insert(RETRY_AFTER, "soon".parse().unwrap());
        assert_eq!(retry_after(&headers), None);
    }
}
