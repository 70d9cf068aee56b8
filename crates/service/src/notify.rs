//! What systemd hears: ready, status, stopping, and that the program is alive. Without systemd nothing happens.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

/// Says whether the program made progress within the given time.
pub type IsAlive = Arc<dyn Fn(Duration) -> bool + Send + Sync>;

/// The program is up.
pub fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// What the program does now, in words.
pub fn status(text: &str) {
    send(&[NotifyState::Status(text)]);
}

/// The program has begun to end.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// The program has begun to end and will begin anew under the same number.
pub fn reloading() {
    // Newer versions of systemd want to know when.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(_) => send(&[NotifyState::Reloading]),
    }
}

/// Pings the watchdog, if systemd expects it, for as long as `is_alive` says so and until `stop`.
pub async fn watchdog(is_alive: IsAlive, stop: CancellationToken) {
    let Some(interval) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = tokio::time::interval(interval / 3);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if is_alive(interval) {
            send(&[NotifyState::Watchdog]);
        } else {
            tracing::error!(
                ?interval,
                "the main loop stands still: the watchdog is not pinged"
            );
        }
    }
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be notified");
    }
}
