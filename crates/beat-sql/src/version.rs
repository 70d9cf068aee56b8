//! How the tables say that they have changed: by the row that Django touches with every edit. Whoever edits them with SQL alone touches
//! nothing, so rows, enabled rows and times of change are counted too, as often as that is cheap; what even
//! these do not show is met every five minutes, as Celery's scheduler does.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::Error;
use crate::database::{Database, Transaction};
use crate::extras;

/// Everything is read again this often.
const RELOAD: Duration = Duration::from_secs(300);
/// Counting takes at most this share of the time.
const SHARE: u32 = 20;

const TOUCHED: &str =
    "SELECT CAST(last_update AS text) FROM django_celery_beat_periodictasks WHERE ident = 1";
const COUNTED: &str = "SELECT CAST(count(*) AS text), CAST(max(id) AS text), CAST(max(date_changed) AS text), \
    CAST(sum(CASE WHEN enabled THEN 1 ELSE 0 END) AS text) FROM django_celery_beat_periodictask";
const EXTRAS_COUNTED: &str =
    "SELECT CAST(count(*) AS text), CAST(max(date_changed) AS text) FROM celeriac_beat_entry";

/// Remembers what was counted last.
#[derive(Debug)]
pub(crate) struct Versions {
    since: Instant,
    counted: Mutex<Option<(String, Instant)>>,
}

impl Versions {
    pub(crate) fn new() -> Self {
        Self {
            since: Instant::now(),
            counted: Mutex::default(),
        }
    }

    /// A text that changes with the tables.
    pub(crate) async fn ask(&self, database: &Database) -> Result<String, Error> {
        let mut transaction = database.read().await?;
        let touched = transaction.first(TOUCHED, Vec::new()).await?;
        let counted = match self.still_fresh() {
            Some(counted) => counted,
            None => self.count(&mut transaction).await?,
        };
        let reloads = self.since.elapsed().as_secs() / RELOAD.as_secs();
        Ok(format!(
            "{} {counted} {reloads}",
            touched.unwrap_or_default()
        ))
    }

    fn still_fresh(&self) -> Option<String> {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (text, until) = counted.as_ref()?;
        (Instant::now() < *until).then(|| text.clone())
    }

    async fn count(&self, transaction: &mut Transaction<'_>) -> Result<String, Error> {
        let began = Instant::now();
        let mut cells = transaction.rows(COUNTED, Vec::new()).await?.concat();
        if transaction.has_table(extras::TABLE).await? {
            cells.extend(transaction.rows(EXTRAS_COUNTED, Vec::new()).await?.concat());
        }
        let text = cells
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect::<Vec<_>>()
            .join(" ");
        // What takes no time is asked every time.
        let took = began.elapsed();
        let pause = if took < Duration::from_millis(20) {
            Duration::ZERO
        } else {
            took * SHARE
        };
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        *counted = Some((text.clone(), Instant::now() + pause));
        Ok(text)
    }
}
