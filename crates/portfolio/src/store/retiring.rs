//! What is not looked at any more, without anything of it being lost.

use super::Store;
use crate::error::{Error, Result};

/// What can be retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retirable {
    /// Its statements are not missed; portfolios that span it do so still.
    Account,
    /// No prices are fetched; those that are known still count.
    Asset,
    /// No figures are computed and no snapshots kept.
    Portfolio,
}

impl Retirable {
    /// Its name, and how it is left out.
    fn statement(self) -> (&'static str, &'static str) {
        match self {
            Retirable::Account => (
                "account",
                "UPDATE accounts SET is_active = FALSE WHERE id = ?1",
            ),
            Retirable::Asset => ("asset", "UPDATE assets SET is_active = FALSE WHERE id = ?1"),
            Retirable::Portfolio => (
                "portfolio",
                "UPDATE portfolios SET is_active = FALSE WHERE id = ?1",
            ),
        }
    }
}

impl Store {
    /// Leaves something out of the runs to come. All that is known of it stays, and putting it again brings it back.
    pub async fn retire(&self, kind: Retirable, id: i64) -> Result<()> {
        let (what, statement) = kind.statement();
        if self.sql(statement).bind(id).execute().await? == 0 {
            let id = id.to_string();
            return Err(Error::NotFound { what, id });
        }
        Ok(())
    }
}
