//! What users did, and what followed from it.

use jiff::Timestamp;
use serde_json::Value;

use super::Store;
use super::codec::Reader;
use crate::error::{Error, Result};

/// An action to be stored; its id identifies it.
#[derive(Clone, Debug)]
pub struct NewAction<'a> {
    /// Who.
    pub user_id: i64,
    /// What makes it the same when it comes again.
    pub action_id: &'a str,
    /// What.
    pub action: &'a str,
    /// An object with the particulars.
    pub payload: &'a Value,
    /// When.
    pub occurred_at: Timestamp,
}

/// A stored action.
#[derive(Clone, Debug)]
pub struct StoredAction {
    /// The row.
    pub id: i64,
    /// Who.
    pub user_id: i64,
    /// What.
    pub action: String,
    /// An object with the particulars.
    pub payload: Value,
    /// When.
    pub occurred_at: Timestamp,
    /// What followed; none while that is under way.
    pub outcome: Option<Value>,
}

impl Store {
    /// Stores an action unless one of this id is there; returns the stored one, and whether it is new. One of another user's
    /// is an error.
    pub async fn add_action(&self, new: &NewAction<'_>) -> Result<(StoredAction, bool)> {
        let insert = "INSERT INTO user_actions (user_id, action_id, action, payload, occurred_at)
             VALUES (?1, ?2, ?3, ?4::jsonb, ?5::timestamptz) ON CONFLICT (action_id) DO NOTHING";
        let query = self
            .sql(insert)
            .bind(new.user_id)
            .bind(new.action_id)
            .bind(new.action);
        let query = query.bind(new.payload.to_string()).bind(new.occurred_at);
        let is_new = query.execute().await? == 1;
        let stored = self.action(new.action_id).await?;
        if stored.user_id == new.user_id {
            Ok((stored, is_new))
        } else {
            Err(Error::Forbidden {
                what: "action",
                id: new.action_id.to_owned(),
            })
        }
    }

    async fn action(&self, action_id: &str) -> Result<StoredAction> {
        let select = "SELECT id, user_id, action, payload::text AS payload, occurred_at::text AS occurred_at, outcome::text AS outcome
             FROM user_actions WHERE action_id = ?1";
        let row = self.sql(select).bind(action_id).first().await?;
        let row = row.ok_or_else(|| Error::NotFound {
            what: "action",
            id: action_id.to_owned(),
        })?;
        let reader = Reader {
            table: "user_actions",
            id: action_id.to_owned(),
            row: &row,
        };
        Ok(StoredAction {
            id: row.get("id"),
            user_id: row.get("user_id"),
            action: row.get("action"),
            payload: reader.required("payload")?,
            occurred_at: reader.required("occurred_at")?,
            outcome: reader.optional("outcome")?,
        })
    }

    /// Notes what followed from an action; the first note stays.
    pub async fn end_action(&self, id: i64, outcome: &Value, now: Timestamp) -> Result<()> {
        let update = "UPDATE user_actions SET outcome = ?2::jsonb, processed_at = ?3::timestamptz
             WHERE id = ?1 AND processed_at IS NULL";
        let query = self.sql(update).bind(id).bind(outcome.to_string());
        query.bind(now).execute().await?;
        Ok(())
    }
}
