//! What people call things: assets, and their remarks on transactions.

use std::collections::BTreeMap;

use super::Store;
use super::codec::id_list;
use crate::error::Result;

impl Store {
    /// The names of all assets by symbol.
    pub(crate) async fn asset_names(&self) -> Result<BTreeMap<String, String>> {
        let query = self.sql("SELECT symbol, name FROM assets ORDER BY id DESC");
        let names = query.all().await?;
        Ok(names
            .iter()
            .map(|row| (row.get("symbol"), row.get("name")))
            .collect())
    }

    /// The remarks on the transactions of some portfolios, by transaction.
    pub(crate) async fn notes(&self, portfolio_ids: &[i64]) -> Result<BTreeMap<i64, String>> {
        let query = self.sql(
            "SELECT id, note FROM transactions WHERE note <> '' AND account_id IN
               (SELECT account_id FROM portfolio_accounts WHERE portfolio_id IN (SELECT value::bigint FROM json_each(?1::jsonb)))",
        );
        let query = query.bind(id_list(portfolio_ids.iter().copied()));
        let notes = query.all().await?;
        Ok(notes
            .iter()
            .map(|row| (row.get("id"), row.get("note")))
            .collect())
    }
}
