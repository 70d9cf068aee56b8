//! Waiting for a broker that cannot be reached yet.

use std::future::Future;
use std::time::Duration;

use broker::Backends;

use crate::{Error, Settings, error_text};

/// The first pause, and what each further one adds, as kombu waits.
const STEP: Duration = Duration::from_secs(2);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// Calls `open` until it gives backends, an error that waiting cannot mend, or as many errors as the settings allow.
pub(super) async fn until_open<F, Fut>(settings: &Settings, open: F) -> Result<Backends, Error>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Backends, Error>>,
{
    let most = allowed_retries(settings);
    let mut retries = 0;
    loop {
        let error = match open().await {
            Err(error) if super::is_unreachable(&error) => error,
            outcome => return outcome,
        };
        if most.is_some_and(|most| retries >= most) {
            return Err(error);
        }
        retries += 1;
        let pause = pause_before(retries);
        let most = most.map_or("for ever".to_owned(), |most| format!("of {most}"));
        tracing::error!(
            "{}; trying again in {pause:?} ({retries} {most})",
            error_text(&error)
        );
        tokio::time::sleep(pause).await;
    }
}

/// The pause before the try of this number, from 1.
fn pause_before(retry: u32) -> Duration {
    STEP.saturating_mul(retry).min(LONGEST)
}

/// How long so many retries take in all, if each fails at once.
pub(crate) fn waited_after(retries: u32) -> Duration {
    let growing = u32::try_from(LONGEST.as_secs() / STEP.as_secs()).unwrap_or(u32::MAX);
    let first: Duration = (1..=retries.min(growing)).map(pause_before).sum();
    first + LONGEST.saturating_mul(retries.saturating_sub(growing))
}

/// How many times to try again; `None` for ever.
fn allowed_retries(settings: &Settings) -> Option<u32> {
    let retry = settings.bool("broker_connection_retry_on_startup");
    if !retry
        .or(settings.bool("broker_connection_retry"))
        .unwrap_or(true)
    {
        return Some(0);
    }
    settings
        .int("broker_connection_max_retries")
        .map(|most| u32::try_from(most).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Sources;

    fn allowed(pairs: &[(&'static str, &str)]) -> Option<u32> {
        let overrides = pairs
            .iter()
            .map(|(name, value)| (*name, "--x", (*value).to_owned()))
            .collect();
        allowed_retries(
            &Settings::load(&Sources {
                overrides,
                ..Sources::default()
            })
            .unwrap(),
        )
    }

    #[test]
    fn the_pauses_grow_to_the_longest() {
        assert_eq!(waited_after(0), Duration::ZERO);
        assert_eq!(waited_after(3), Duration::from_secs(2 + 4 + 6));
        assert_eq!(waited_after(17), Duration::from_secs(240 + 2 * 30));
        assert_eq!(waited_after(100), Duration::from_secs(240 + 85 * 30));
    }

    #[test]
    fn the_settings_bound_the_tries() {
        assert_eq!(allowed(&[]), Some(100));
        assert_eq!(allowed(&[("broker_connection_max_retries", "null")]), None);
        assert_eq!(allowed(&[("broker_connection_max_retries", "3")]), Some(3));
        assert_eq!(
            allowed(&[("broker_connection_retry_on_startup", "false")]),
            Some(0)
        );
        assert_eq!(allowed(&[("broker_connection_retry", "false")]), Some(0));
    }
}
