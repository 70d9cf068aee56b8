//! Which accounts have a statement to be compared with.

use jiff::civil::Date;

use super::request::ReconcileRequest;
use super::run::as_of_for;
use crate::error::Result;
use crate::store::{AccountRow, Store};

/// The active accounts.
#[derive(Debug, Default)]
pub struct Due {
    /// Those with a statement.
    pub accounts: Vec<AccountRow>,
    /// How many have none.
    pub no_statement: usize,
}

/// The active accounts that have a statement until `as_of`; without one until the last completed session of each
/// account's calendar.
///
/// # Errors
/// An unknown calendar, or a database error.
pub async fn due_accounts(store: &Store, as_of: Option<Date>) -> Result<Due> {
    let mut due = Due::default();
    for account in store.active_accounts().await? {
        let request = ReconcileRequest {
            as_of,
            ..ReconcileRequest::new(account.id)
        };
        let until = as_of_for(store, &request).await?;
        match store.latest_statement(account.id, until).await? {
            Some(_) => due.accounts.push(account),
            None => due.no_statement += 1,
        }
    }
    Ok(due)
}
