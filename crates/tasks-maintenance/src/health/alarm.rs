//! Telling the administrator that the system has been unhealthy for a while, and not again and again.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use notify::{Attempt, Mail};
use portfolio::store::{LockAttempt, Store};
use tracing::{error, warn};
use worker::Context;

use super::{Check, CheckStatus, HealthReport};
use crate::notifier::{Notifier, notifier};

/// At most one mail in this time, whichever worker sends it.
const PAUSE: SignedDuration = SignedDuration::from_mins(30);
/// The lock that nobody gives back: it runs out when the next mail may go.
const LOCK: &str = "health:alarm";

/// Says so in the log, and by mail if the last one is long enough ago.
pub(super) async fn raise(ctx: &Context, store: &Store, report: &HealthReport) {
    let text = text(report);
    error!("{text}");
    let Ok(notifier) = notifier(ctx) else { return };
    let Some(admin) = notifier.admin() else {
        return;
    };
    let now = Timestamp::now();
    match store.lock(LOCK, ctx.id(), now, PAUSE).await {
        Ok(LockAttempt::Acquired(lock)) => {
            if let Some(reason) = mail(notifier, admin, ctx.id(), &text, now).await {
                warn!(
                    reason,
                    "the administrator could not be told; the next check tries again"
                );
                let _ = store.unlock(&lock).await;
            }
        }
        Ok(LockAttempt::Held { .. }) => {}
        Err(error) => warn!(%error, "the administrator could not be told"),
    }
}

/// The reason when the mail has not left.
async fn mail(
    notifier: &Notifier,
    admin: &str,
    task_id: &str,
    text: &str,
    now: Timestamp,
) -> Option<String> {
    let mail = Mail {
        identity: &format!("health-{task_id}"),
        to: admin,
        to_name: "",
        subject: "Celeriac is unhealthy",
        text,
        written: now,
    };
    match notifier.channels().mail(&mail).await {
        Attempt::Sent => None,
        Attempt::Skipped(reason) => Some(reason.to_owned()),
        Attempt::Temporary(reason) | Attempt::Refused(reason) => Some(reason),
    }
}

fn text(report: &HealthReport) -> String {
    let mut text = "The last three health checks found the system unhealthy.\n".to_owned();
    let bad = |(_, check): &(&String, &Check)| check.status != CheckStatus::Healthy;
    for (name, check) in report.checks.iter().filter(bad) {
        let status = check.status.as_str();
        // Writing to a text cannot fail.
        let _ = write!(text, "\n{name}: {status}: {}", check.detail);
    }
    text
}
