//! What a user's dashboard shows that is no figure: recent transactions and actions, alerts; and its cache entries.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Store;
use super::codec::Reader;
use super::sql::Row;
use crate::error::Result;

/// Items of a list.
const LISTED: i64 = 20;

/// A recent event of a user's.
#[derive(Clone, Debug, Serialize)]
pub struct Activity {
    /// `transaction` or `action`.
    pub kind: String,
    /// The row.
    pub id: i64,
    /// The trade date, or when the user did it.
    pub at: String,
    /// The transaction's type, or what the user did.
    pub what: String,
    /// The transaction's symbol.
    pub symbol: Option<String>,
    /// The transaction's amount.
    pub amount: Option<String>,
}

/// Something that a user should look at.
#[derive(Clone, Debug, Serialize)]
pub struct Alert {
    /// `break` or `notification`.
    pub kind: String,
    /// The row.
    pub id: i64,
    /// The break's or the notification's type.
    pub what: String,
    /// A sentence.
    pub message: String,
}

/// When a cache entry was computed and until when it is fresh.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// When it was computed.
    pub computed: Timestamp,
    /// Until when it is fresh.
    pub expires: Timestamp,
}

impl Freshness {
    /// Whether less than a quarter of the life is left.
    pub fn is_expiring(&self, now: Timestamp) -> bool {
        let left = self.expires.duration_since(now).as_millis();
        left * 4 < self.expires.duration_since(self.computed).as_millis()
    }
}

impl Store {
    /// The newest transactions and actions of a user, newest first.
    pub async fn recent_activity(&self, user_id: i64) -> Result<Vec<Activity>> {
        let rows = self
            .sql(
                "SELECT 'transaction' AS kind, transactions.id, trade_date::text AS at, transactions.type AS what, symbol, amount::text AS amount
                 FROM transactions JOIN accounts ON accounts.id = account_id LEFT JOIN assets ON assets.id = asset_id
                 WHERE accounts.user_id = ?1 ORDER BY trade_date DESC, transactions.id DESC LIMIT ?2",
            )
            .bind(user_id)
            .bind(LISTED)
            .all()
            .await?;
        let mut recent: Vec<Activity> = rows.iter().map(activity).collect();
        let rows = self
            .sql(
                "SELECT 'action' AS kind, id, occurred_at::text AS at, action AS what, NULL::text AS symbol, NULL::text AS amount
                 FROM user_actions WHERE user_id = ?1 ORDER BY occurred_at DESC, id DESC LIMIT ?2",
            )
            .bind(user_id)
            .bind(LISTED)
            .all()
            .await?;
        recent.extend(rows.iter().map(activity));
        recent.sort_by(|a, b| b.at.cmp(&a.at));
        recent.truncate(usize::try_from(LISTED).unwrap_or_default());
        Ok(recent)
    }

    /// Open breaks that matter, and notifications that were not read.
    pub async fn alerts(&self, user_id: i64) -> Result<Vec<Alert>> {
        let rows = self
            .sql(
                "SELECT 'break' AS kind, reconciliation_breaks.id, type AS what, explanation AS message
                 FROM reconciliation_breaks JOIN accounts ON accounts.id = account_id
                 WHERE user_id = ?1 AND status = 'open' AND severity = 'high'
                 UNION ALL
                 SELECT 'notification' AS kind, id, type AS what, subject AS message FROM notifications
                 WHERE user_id = ?1 AND read_at IS NULL AND type <> 'info'
                 ORDER BY 1, 2 LIMIT ?2",
            )
            .bind(user_id)
            .bind(LISTED)
            .all()
            .await?;
        Ok(rows.iter().map(alert).collect())
    }

    /// The active users, those who did something since `active` first.
    pub async fn users_by_activity(&self, active: Timestamp) -> Result<Vec<i64>> {
        let rows = self
            .sql(
                "SELECT users.id FROM users
                 LEFT JOIN (SELECT user_id, max(occurred_at) AS last FROM user_actions WHERE occurred_at >= ?1::timestamptz GROUP BY user_id) AS seen
                   ON seen.user_id = users.id
                 WHERE is_active ORDER BY CASE WHEN last IS NULL THEN 1 ELSE 0 END, last DESC, users.id",
            )
            .bind(active)
            .all()
            .await?;
        Ok(rows.iter().map(|row| row.get("id")).collect())
    }

    /// The cache entries of a user by key.
    pub async fn cache_of(&self, user_id: i64) -> Result<HashMap<String, Freshness>> {
        let rows = self
            .sql("SELECT key, computed_at::text AS computed_at, expires_at::text AS expires_at FROM cache_entries WHERE user_id = ?1")
            .bind(user_id)
            .all()
            .await?;
        rows.iter().map(freshness).collect()
    }

    /// Stores a cache entry. An equal value keeps its version and only lives on; true when the value is new.
    pub async fn refresh_cache(
        &self,
        entry: &super::CacheRow,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<bool> {
        let bytes = entry.value.as_bytes();
        let same = self
            .sql("UPDATE cache_entries SET computed_at = ?3::timestamptz, expires_at = ?4::timestamptz WHERE key = ?1 AND value = ?2")
            .bind(entry.key.as_str())
            .bind(bytes.to_vec())
            .bind(now)
            .bind(expires);
        if same.execute().await? == 1 {
            return Ok(false);
        }
        let mut tx = self.begin().await?;
        self.put_cache(&mut tx, vec![entry.clone()], now, expires)
            .await?;
        self.commit(tx).await?;
        Ok(true)
    }
}

fn activity(row: &Row) -> Activity {
    Activity {
        kind: row.get("kind"),
        id: row.get("id"),
        at: row.get("at"),
        what: row.get("what"),
        symbol: row.get("symbol"),
        amount: row.get("amount"),
    }
}

fn alert(row: &Row) -> Alert {
    Alert {
        kind: row.get("kind"),
        id: row.get("id"),
        what: row.get("what"),
        message: row.get("message"),
    }
}

fn freshness(row: &Row) -> Result<(String, Freshness)> {
    let key: String = row.get("key");
    let reader = Reader {
        table: "cache_entries",
        id: key.clone(),
        row,
    };
    let found = Freshness {
        computed: reader.required("computed_at")?,
        expires: reader.required("expires_at")?,
    };
    Ok((key, found))
}
