//! Where ledgers stood when they were last applied, as bytes that the engine writes and reads. Not part of a backup: all of it
//! can be rebuilt.

use std::collections::HashMap;

use super::codec::id_list;
use super::sql::Row;
use super::{Store, Transaction};
use crate::error::Result;

/// Rows that one statement writes.
const TOGETHER: usize = 64;

/// A state to be stored.
#[derive(Debug)]
pub(crate) struct NewLedgerState {
    pub(crate) portfolio_id: i64,
    /// Everything that it was made from.
    pub(crate) rests_on: String,
    pub(crate) state: Vec<u8>,
}

/// How often a portfolio's ledger was written, and the state that is kept of it.
#[derive(Debug)]
pub(crate) struct KeptLedger {
    /// Another one after every write to the portfolio, the accounts that it spans or their rows.
    pub(crate) revision: String,
    /// What the state was made from, and its bytes.
    pub(crate) state: Option<(String, Vec<u8>)>,
}

impl Store {
    /// The revisions of ledgers, by portfolio; `with_states` brings their states too. To be asked for before the rows are read,
    /// so that what is written meanwhile leaves a state that is not used. SQLite takes the tables of a `CROSS JOIN` in their
    /// order: the accounts of a portfolio, and then a look by key for each.
    pub(crate) async fn kept_ledgers(
        &self,
        portfolio_ids: &[i64],
        with_states: bool,
    ) -> Result<HashMap<i64, KeptLedger>> {
        let query = self.sql(
            "SELECT portfolios.id AS id,
               coalesce((SELECT revision FROM revisions WHERE subject = 'portfolio' AND revisions.id = portfolios.id), 0)::text || '.' ||
               coalesce((SELECT sum(revision) FROM portfolio_accounts CROSS JOIN revisions
                 WHERE portfolio_accounts.portfolio_id = portfolios.id AND subject = 'account' AND revisions.id = portfolio_accounts.account_id), 0)::text AS revision,
               rests_on, CASE WHEN ?2 THEN state END AS state
             FROM portfolios LEFT JOIN ledger_states ON ledger_states.portfolio_id = portfolios.id
             WHERE portfolios.id IN (SELECT value::bigint FROM json_each(?1::jsonb))",
        );
        let ids = id_list(portfolio_ids.iter().copied());
        let mut kept = HashMap::with_capacity(portfolio_ids.len());
        let take = |row: &Row| {
            let (rests_on, state) = (row.get::<Option<String>>("rests_on"), row.get("state"));
            let ledger = KeptLedger {
                revision: row.get("revision"),
                state: rests_on.zip(state),
            };
            kept.insert(row.get("id"), ledger);
            Ok(())
        };
        query.bind(ids).bind(with_states).each(take).await?;
        Ok(kept)
    }

    /// Upserts states, many in one statement.
    pub(crate) async fn put_ledger_states(
        &self,
        tx: &mut Transaction,
        states: Vec<NewLedgerState>,
    ) -> Result<()> {
        let mut states = states.into_iter().peekable();
        while states.peek().is_some() {
            let states: Vec<NewLedgerState> = states.by_ref().take(TOGETHER).collect();
            let query = self.sql_of_rows(
                "INSERT INTO ledger_states (portfolio_id, rests_on, state)",
                "(?, ?, ?)",
                states.len(),
                "ON CONFLICT (portfolio_id) DO UPDATE SET rests_on = excluded.rests_on, state = excluded.state",
            );
            let bound = states.into_iter().fold(query, |query, state| {
                let query = query.bind(state.portfolio_id).bind(state.rests_on);
                query.bind(state.state)
            });
            bound.execute_in(tx).await?;
        }
        Ok(())
    }

    /// Forgets the states of portfolios.
    pub(crate) async fn forget_ledger_states(
        &self,
        tx: &mut Transaction,
        portfolio_ids: &[i64],
    ) -> Result<()> {
        if portfolio_ids.is_empty() {
            return Ok(());
        }
        let query = self.sql(
            "DELETE FROM ledger_states WHERE portfolio_id IN (SELECT value::bigint FROM json_each(?1::jsonb))",
        );
        let ids = id_list(portfolio_ids.iter().copied());
        query.bind(ids).execute_in(tx).await.map(drop)
    }
}
