//! Accounts as custodians and reconciliation know them.

use std::collections::HashMap;

use super::Store;
use super::people::{AccountRow, account, select_accounts};
use crate::error::{Error, Result};
use crate::ledger::IncomeMode;

impl Store {
    /// An account by its id.
    pub async fn account(&self, id: i64) -> Result<AccountRow> {
        let query = self.sql(select_accounts!("WHERE id = ?1"));
        let row = query.bind(id).first().await?;
        let row = row.ok_or_else(|| Error::NotFound {
            what: "account",
            id: id.to_string(),
        })?;
        account(&row)
    }

    /// All active accounts, in the order of their ids.
    pub async fn active_accounts(&self) -> Result<Vec<AccountRow>> {
        let query = self.sql(select_accounts!("WHERE is_active ORDER BY id"));
        let rows = query.all().await?;
        rows.iter().map(account).collect()
    }

    /// Sets who keeps an account, and its number there.
    pub async fn set_custodian(&self, id: i64, custodian: &str, account_no: &str) -> Result<()> {
        let query =
            self.sql("UPDATE accounts SET custodian = ?2, custodian_account_no = ?3 WHERE id = ?1");
        let query = query.bind(id).bind(custodian).bind(account_no);
        query.execute().await?;
        Ok(())
    }

    /// The accounts with a custodian's number.
    pub(crate) async fn accounts_by_number(&self, account_no: &str) -> Result<Vec<i64>> {
        let query = self.sql("SELECT id FROM accounts WHERE custodian_account_no = ?1 ORDER BY id");
        let rows = query.bind(account_no).all().await?;
        Ok(rows.iter().map(|row| row.get("id")).collect())
    }

    /// The calendar of the first portfolio that spans an account.
    pub(crate) async fn account_calendar(&self, id: i64) -> Result<Option<String>> {
        let query = self.sql(
            "SELECT calendar FROM portfolios JOIN portfolio_accounts ON portfolio_id = id WHERE account_id = ?1 ORDER BY id LIMIT 1",
        );
        Ok(query.bind(id).first().await?.map(|row| row.get("calendar")))
    }

    /// Who books the dividends of an account: as its first portfolio says.
    pub(crate) async fn account_income(&self, id: i64) -> Result<IncomeMode> {
        let query = self.sql(
            "SELECT income_mode FROM portfolios JOIN portfolio_accounts ON portfolio_id = id WHERE account_id = ?1 ORDER BY id LIMIT 1",
        );
        let mode = query.bind(id).first().await?;
        let mode: Option<String> = mode.map(|row| row.get("income_mode"));
        Ok(if mode.as_deref() == Some("auto") {
            IncomeMode::Auto
        } else {
            IncomeMode::Ledger
        })
    }

    /// Symbols by ISIN; of several exchanges the oldest row.
    pub(crate) async fn symbols_by_isin(&self) -> Result<HashMap<String, String>> {
        let query =
            self.sql("SELECT isin, symbol FROM assets WHERE isin IS NOT NULL ORDER BY id DESC");
        let rows = query.all().await?;
        Ok(rows
            .iter()
            .map(|row| (row.get("isin"), row.get("symbol")))
            .collect())
    }
}
