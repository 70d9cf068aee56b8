//! Keeps an incarnation's lease, and ends incarnations that do not keep theirs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use broker::Notice;
use tokio::time::sleep;

use super::Incarnation;
use crate::error::Result;
use crate::operations::lease::{End, Renew};
use crate::outage::notify;
use crate::reads::{self, Overdue};

/// After a failure, and to look at suspects again, it comes back this much sooner.
const HURRY: u32 = 4;

/// Runs until it is cancelled.
pub(super) async fn run(incarnation: Arc<Incarnation>) {
    let interval = incarnation.params.lease / 3;
    let mut keeper = Keeper {
        incarnation,
        suspects: HashMap::new(),
    };
    loop {
        sleep(keeper.turn(interval).await).await;
    }
}

struct Keeper {
    incarnation: Arc<Incarnation>,
    /// When those that were overdue at the last look had renewed. One is dead when it is overdue in two looks: so a pause of
    /// the whole machine, after which everybody is overdue and renews at once, kills nobody.
    suspects: HashMap<i64, i64>,
}

impl Keeper {
    /// One renewal and one look; returns how long to wait.
    async fn turn(&mut self, interval: Duration) -> Duration {
        let done = async {
            self.renew().await?;
            self.sweep().await
        };
        match done.await {
            Ok(()) if self.suspects.is_empty() => interval,
            Ok(()) => interval / HURRY,
            Err(error) => {
                tracing::warn!(%error, "the lease was not renewed; trying again");
                interval / HURRY
            }
        }
    }

    async fn renew(&self) -> Result<()> {
        let incarnation = &self.incarnation;
        if !incarnation.store.write(Renew(incarnation.worker())).await? {
            incarnation.register().await?;
            tracing::warn!(incarnation = %incarnation.name, "declared dead while it was frozen; it goes on anew");
            notify(&incarnation.params.notices, Notice::Fenced);
        }
        incarnation.renewal.renew();
        Ok(())
    }

    async fn sweep(&mut self) -> Result<()> {
        let overdue = reads::overdue(&self.incarnation.store.readers).await?;
        let before = std::mem::take(&mut self.suspects);
        for one in overdue {
            if before.get(&one.id) == Some(&one.renewed) {
                self.end(one).await?;
            } else {
                self.suspects.insert(one.id, one.renewed);
            }
        }
        Ok(())
    }

    async fn end(&self, overdue: Overdue) -> Result<()> {
        let incarnation = &self.incarnation;
        let Overdue {
            id,
            incarnation: from,
            renewed,
        } = overdue;
        let end = End {
            worker: id,
            if_renewed_at: Some(renewed),
            policy: incarnation.policy.clone(),
        };
        if let Some(left) = incarnation.store.write(end).await? {
            let messages = incarnation.tell_lost(left);
            notify(
                &incarnation.params.notices,
                Notice::Reclaimed { from, messages },
            );
        }
        Ok(())
    }
}
