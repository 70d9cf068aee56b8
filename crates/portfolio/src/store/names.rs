//! What people call things: owners, assets, and their remarks on transactions.

use std::collections::BTreeMap;

use super::Store;
use super::codec::id_list;
use crate::error::{Error, Result};

impl Store {
    /// A user's name.
    pub(crate) async fn display_name(&self, user_id: i64) -> Result<String> {
        let query = sqlx::query_scalar("SELECT display_name FROM users WHERE id = ?1");
        let name = query
            .bind(user_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        name.ok_or_else(|| Error::NotFound {
            what: "user",
            id: user_id.to_string(),
        })
    }

    /// The names of all assets by symbol.
    pub(crate) async fn asset_names(&self) -> Result<BTreeMap<String, String>> {
        let query = sqlx::query_as("SELECT symbol, name FROM assets ORDER BY id DESC");
        let names: Vec<(String, String)> = query
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(names.into_iter().collect())
    }

    /// The remarks on the transactions of some portfolios, by transaction.
    pub(crate) async fn notes(&self, portfolio_ids: &[i64]) -> Result<BTreeMap<i64, String>> {
        let query = sqlx::query_as(
            "SELECT id, note FROM transactions WHERE note <> '' AND account_id IN
               (SELECT account_id FROM portfolio_accounts WHERE portfolio_id IN (SELECT value FROM json_each(?1)))",
        );
        let notes: Vec<(i64, String)> = query
            .bind(id_list(portfolio_ids.iter().copied()))
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(notes.into_iter().collect())
    }
}
