//! Reconciliations: what was compared, what matched, and the breaks that live from run to run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::codec::{Reader, id_list};
use super::sql::Row;
use super::{Store, Transaction};
use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::money::Currency;
use crate::reconcile::{BreakType, Match, Rule, Severity};

/// Rows written at once.
const BATCH: usize = 2000;

/// A comparison to be stored.
#[derive(Debug)]
pub(crate) struct NewReconciliation<'a> {
    pub(crate) account_id: i64,
    pub(crate) statement_id: i64,
    pub(crate) as_of: Date,
    pub(crate) status: &'a str,
    /// JSON.
    pub(crate) counts: String,
    /// JSON.
    pub(crate) tolerances: String,
    pub(crate) input_hash: &'a str,
    pub(crate) task_id: &'a str,
}

/// A stored comparison.
#[derive(Debug)]
pub(crate) struct ReconciliationRow {
    pub(crate) as_of: Date,
    pub(crate) status: String,
    /// JSON.
    pub(crate) counts: String,
}

/// A break of an earlier run.
#[derive(Debug)]
pub(crate) struct KeptBreak {
    pub(crate) id: i64,
    pub(crate) fingerprint: String,
    pub(crate) status: String,
    /// The last run that found it.
    pub(crate) last_seen: i64,
    /// JSON.
    pub(crate) detail: String,
}

/// A break to be stored.
#[derive(Debug, Serialize)]
pub(crate) struct NewBreak<'a> {
    pub(crate) fingerprint: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: BreakType,
    pub(crate) severity: Severity,
    pub(crate) status: &'a str,
    pub(crate) symbol: Option<&'a str>,
    pub(crate) currency: Option<Currency>,
    pub(crate) transaction_ids: &'a [i64],
    pub(crate) line_ids: &'a [i64],
    pub(crate) ledger_value: Option<&'a str>,
    pub(crate) statement_value: Option<&'a str>,
    pub(crate) difference: Option<Decimal>,
    pub(crate) detail: serde_json::Value,
    pub(crate) explanation: &'a str,
}

/// A break as people see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakRow {
    pub id: i64,
    #[serde(rename = "type")]
    pub kind: String,
    pub severity: String,
    /// `open`, `acknowledged`, `resolved` or `auto_resolved`.
    pub status: String,
    pub symbol: Option<String>,
    pub currency: Option<String>,
    pub ledger_value: Option<String>,
    pub statement_value: Option<String>,
    pub difference: Option<Decimal>,
    pub explanation: String,
    pub note: Option<String>,
    /// Rows of the ledger.
    pub transaction_ids: Vec<i64>,
    /// Lines of the statement, by number.
    pub line_ids: Vec<i64>,
    /// What explains the difference, and where it was seen.
    pub detail: serde_json::Value,
}

/// A statement for [`BreakRow`]s, the gravest first.
macro_rules! select_breaks {
    ($which:literal) => {
        concat!(
            "SELECT id, type, severity, status, symbol, currency, ledger_value, statement_value, difference::text, explanation, note,
               transaction_ids::text, line_ids::text, detail::text
             FROM reconciliation_breaks ",
            $which,
            " ORDER BY CASE severity WHEN 'high' THEN 0 WHEN 'medium' THEN 1 WHEN 'low' THEN 2 ELSE 3 END, id LIMIT ?2"
        )
    };
}

impl Store {
    /// The comparison of this statement with the same input, if there was one.
    pub(crate) async fn find_reconciliation(
        &self,
        account_id: i64,
        statement_id: i64,
        input_hash: &str,
    ) -> Result<Option<i64>> {
        let query = self.sql(
            "SELECT id FROM reconciliations WHERE account_id = ?1 AND statement_id = ?2 AND input_hash = ?3",
        );
        let query = query.bind(account_id).bind(statement_id).bind(input_hash);
        Ok(query.first().await?.map(|row| row.get("id")))
    }

    /// The newest comparison of an account that came about.
    pub(crate) async fn last_reconciliation(
        &self,
        tx: &mut Transaction,
        account_id: i64,
    ) -> Result<Option<i64>> {
        let query = self.sql("SELECT max(id) AS found FROM reconciliations WHERE account_id = ?1 AND status <> 'error'");
        query.bind(account_id).found_in(tx).await
    }

    /// Writes a comparison with what matched; returns its id. `None` when the same statement was compared with the same input
    /// meanwhile: then nothing is written.
    pub(crate) async fn put_reconciliation(
        &self,
        tx: &mut Transaction,
        row: &NewReconciliation<'_>,
        matches: &[Match],
        now: Timestamp,
    ) -> Result<Option<i64>> {
        let query = self.sql(
            "INSERT INTO reconciliations (account_id, statement_id, as_of, status, counts, tolerances, input_hash, task_id, created_at)
             VALUES (?1, ?2, ?3::date, ?4, ?5::jsonb, ?6::jsonb, ?7, ?8, ?9::timestamptz)
             ON CONFLICT (account_id, statement_id, input_hash) DO NOTHING RETURNING id",
        );
        let query = query.bind(row.account_id).bind(row.statement_id);
        let query = query.bind(row.as_of).bind(row.status);
        let query = query
            .bind(row.counts.as_str())
            .bind(row.tolerances.as_str());
        let query = query.bind(row.input_hash).bind(row.task_id).bind(now);
        let written = query.all_in(tx).await?;
        let Some(id) = written.first().map(|row| row.get::<i64>("id")) else {
            return Ok(None);
        };
        for batch in matches.chunks(BATCH) {
            let insert = self.sql(
                "INSERT INTO reconciliation_matches (reconciliation_id, rule, transaction_ids, line_ids, quantity_delta, amount_delta,
                   date_delta_days, explanation)
                 SELECT ?1, value ->> 'rule', value -> 'ledger', value -> 'lines', (value ->> 'quantity_delta')::numeric,
                   (value ->> 'amount_delta')::numeric, (value ->> 'date_delta_days')::integer, value ->> 'explanation'
                 FROM json_each(?2::jsonb)",
            );
            let matches = serde_json::to_string(batch)?;
            insert.bind(id).bind(matches).execute_in(tx).await?;
        }
        Ok(Some(id))
    }

    /// All breaks that an account ever had.
    pub(crate) async fn kept_breaks(
        &self,
        tx: &mut Transaction,
        account_id: i64,
    ) -> Result<Vec<KeptBreak>> {
        let query = self.sql(
            "SELECT id, fingerprint, status, last_seen, detail::text FROM reconciliation_breaks WHERE account_id = ?1",
        );
        let rows = query.bind(account_id).all_in(tx).await?;
        let kept = |row: &Row| KeptBreak {
            id: row.get("id"),
            fingerprint: row.get("fingerprint"),
            status: row.get("status"),
            last_seen: row.get("last_seen"),
            detail: row.get("detail"),
        };
        Ok(rows.iter().map(kept).collect())
    }

    /// Writes breaks that a comparison found; a known one moves on, and opens anew when its status was another.
    pub(crate) async fn put_breaks(
        &self,
        tx: &mut Transaction,
        account_id: i64,
        reconciliation_id: i64,
        breaks: &[NewBreak<'_>],
        now: Timestamp,
    ) -> Result<()> {
        for batch in breaks.chunks(BATCH) {
            let query = self.sql(
                "INSERT INTO reconciliation_breaks (account_id, fingerprint, type, severity, status, symbol, currency, transaction_ids,
                   line_ids, ledger_value, statement_value, difference, detail, explanation, first_seen, last_seen, opened_at)
                 SELECT ?1, value ->> 'fingerprint', value ->> 'type', value ->> 'severity', value ->> 'status', value ->> 'symbol',
                   value ->> 'currency', value -> 'transaction_ids', value -> 'line_ids', value ->> 'ledger_value',
                   value ->> 'statement_value', (value ->> 'difference')::numeric, value -> 'detail', value ->> 'explanation',
                   ?2, ?2, ?4::timestamptz
                 FROM json_each(?3::jsonb) WHERE true
                 ON CONFLICT (account_id, fingerprint) DO UPDATE SET severity = excluded.severity, status = excluded.status,
                   transaction_ids = excluded.transaction_ids, line_ids = excluded.line_ids, ledger_value = excluded.ledger_value,
                   statement_value = excluded.statement_value, difference = excluded.difference, detail = excluded.detail,
                   explanation = excluded.explanation, last_seen = excluded.last_seen,
                   opened_at = CASE WHEN excluded.status = 'open' AND reconciliation_breaks.status <> 'open'
                     THEN excluded.opened_at ELSE reconciliation_breaks.opened_at END,
                   closed_at = CASE WHEN excluded.status IN ('open', 'acknowledged') THEN NULL ELSE reconciliation_breaks.closed_at END",
            );
            let query = query.bind(account_id).bind(reconciliation_id);
            let query = query.bind(serde_json::to_string(batch)?).bind(now);
            query.execute_in(tx).await?;
        }
        Ok(())
    }

    /// Closes breaks that are gone.
    pub(crate) async fn auto_resolve(
        &self,
        tx: &mut Transaction,
        ids: &[i64],
        now: Timestamp,
    ) -> Result<()> {
        let query = self.sql(
            "UPDATE reconciliation_breaks SET status = 'auto_resolved', closed_at = ?2::timestamptz
             WHERE id IN (SELECT value::bigint FROM json_each(?1::jsonb))",
        );
        let query = query.bind(id_list(ids.iter().copied())).bind(now);
        query.execute_in(tx).await?;
        Ok(())
    }

    /// A person's word on a break: `acknowledged`, `resolved` or `open`, with a note.
    pub async fn judge_break(
        &self,
        id: i64,
        status: &str,
        note: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let query = self.sql(
            "UPDATE reconciliation_breaks SET status = ?2, note = ?3,
               closed_at = CASE WHEN ?2 = 'resolved' THEN ?4::timestamptz ELSE NULL END WHERE id = ?1",
        );
        let query = query.bind(id).bind(status).bind(note).bind(now);
        Ok(query.execute().await? == 1)
    }

    /// Notes when an account was compared.
    pub(crate) async fn set_reconciled(
        &self,
        tx: &mut Transaction,
        account_id: i64,
        now: Timestamp,
    ) -> Result<()> {
        let query =
            self.sql("UPDATE accounts SET last_reconciled_at = ?2::timestamptz WHERE id = ?1");
        query.bind(account_id).bind(now).execute_in(tx).await?;
        Ok(())
    }

    /// A comparison by its id.
    pub(crate) async fn reconciliation(&self, id: i64) -> Result<ReconciliationRow> {
        let query =
            self.sql("SELECT as_of::text, status, counts::text FROM reconciliations WHERE id = ?1");
        let row = query.bind(id).first().await?;
        let row = row.ok_or_else(|| Error::NotFound {
            what: "reconciliation",
            id: id.to_string(),
        })?;
        let reader = Reader {
            table: "reconciliations",
            id: id.to_string(),
            row: &row,
        };
        Ok(ReconciliationRow {
            as_of: reader.required("as_of")?,
            status: row.get("status"),
            counts: row.get("counts"),
        })
    }

    /// How many matches each rule of a comparison found.
    pub(crate) async fn matches_by_rule(&self, id: i64) -> Result<BTreeMap<String, i64>> {
        let query = self.sql(
            "SELECT rule, count(*) AS found FROM reconciliation_matches WHERE reconciliation_id = ?1 GROUP BY rule",
        );
        let rows = query.bind(id).all().await?;
        Ok(rows
            .iter()
            .map(|row| (row.get("rule"), row.get("found")))
            .collect())
    }

    /// The matches of a comparison, in its order.
    pub async fn matches(&self, id: i64) -> Result<Vec<Match>> {
        let query = self.sql(
            "SELECT rule, transaction_ids::text, line_ids::text, quantity_delta::text, amount_delta::text,
               date_delta_days::bigint AS date_delta_days, explanation
             FROM reconciliation_matches WHERE reconciliation_id = ?1 ORDER BY id",
        );
        let rows = query.bind(id).all().await?;
        rows.iter().map(found_match).collect()
    }

    /// The breaks that a comparison found, the gravest first; at most `most`.
    pub async fn breaks(&self, reconciliation_id: i64, most: usize) -> Result<Vec<BreakRow>> {
        self.some_breaks(
            select_breaks!("WHERE last_seen = ?1"),
            reconciliation_id,
            most,
        )
        .await
    }

    /// The breaks of an account that wait for a person, the gravest first.
    pub async fn waiting_breaks(&self, account_id: i64) -> Result<Vec<BreakRow>> {
        let waiting =
            select_breaks!("WHERE account_id = ?1 AND status IN ('open', 'acknowledged')");
        self.some_breaks(waiting, account_id, usize::MAX).await
    }

    /// All breaks that an account ever had, the gravest first.
    pub async fn breaks_ever(&self, account_id: i64) -> Result<Vec<BreakRow>> {
        let all = select_breaks!("WHERE account_id = ?1");
        self.some_breaks(all, account_id, usize::MAX).await
    }

    async fn some_breaks(
        &self,
        select: &'static str,
        id: i64,
        most: usize,
    ) -> Result<Vec<BreakRow>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = self.sql(select).bind(id).bind(most).all().await?;
        rows.iter().map(found_break).collect()
    }

    /// The severities of the breaks that a comparison opened, when this task made it.
    pub(crate) async fn opened_by(&self, id: i64, task_id: &str) -> Result<Vec<String>> {
        let query = self.sql(
            "SELECT severity FROM reconciliation_breaks
             JOIN reconciliations ON reconciliations.id = reconciliation_breaks.last_seen
             WHERE reconciliations.id = ?1 AND reconciliations.task_id = ?2 AND reconciliation_breaks.status = 'open'
               AND reconciliation_breaks.opened_at = reconciliations.created_at",
        );
        let rows = query.bind(id).bind(task_id).all().await?;
        Ok(rows.iter().map(|row| row.get("severity")).collect())
    }

    /// How many breaks of an account wait for a person.
    pub async fn open_breaks(&self, account_id: i64) -> Result<i64> {
        let query = self.sql(
            "SELECT count(*) AS found FROM reconciliation_breaks WHERE account_id = ?1 AND status IN ('open', 'acknowledged')",
        );
        query.bind(account_id).found().await
    }
}

fn found_break(row: &Row) -> Result<BreakRow> {
    let id: i64 = row.get("id");
    let reader = Reader {
        table: "reconciliation_breaks",
        id: id.to_string(),
        row,
    };
    let detail: String = row.get("detail");
    Ok(BreakRow {
        transaction_ids: id_column(&reader, "transaction_ids")?,
        line_ids: id_column(&reader, "line_ids")?,
        detail: serde_json::from_str(&detail).map_err(|_| reader.broken("detail", &detail))?,
        id,
        kind: row.get("type"),
        severity: row.get("severity"),
        status: row.get("status"),
        symbol: row.get("symbol"),
        currency: row.get("currency"),
        ledger_value: row.get("ledger_value"),
        statement_value: row.get("statement_value"),
        difference: reader.optional("difference")?,
        explanation: row.get("explanation"),
        note: row.get("note"),
    })
}

fn found_match(row: &Row) -> Result<Match> {
    let reader = Reader {
        table: "reconciliation_matches",
        id: String::new(),
        row,
    };
    let rule: String = row.get("rule");
    let known: Result<Rule, _> = serde_json::from_value(rule.as_str().into());
    Ok(Match {
        rule: known.map_err(|_| reader.broken("rule", &rule))?,
        ledger: id_column(&reader, "transaction_ids")?,
        lines: id_column(&reader, "line_ids")?,
        quantity_delta: reader.required("quantity_delta")?,
        amount_delta: reader.required("amount_delta")?,
        date_delta_days: row.get("date_delta_days"),
        explanation: row.get("explanation"),
    })
}

/// A JSON list of ids.
fn id_column(reader: &Reader<'_>, column: &'static str) -> Result<Vec<i64>> {
    let text: String = reader.row.get(column);
    serde_json::from_str(&text).map_err(|_| reader.broken(column, &text))
}
