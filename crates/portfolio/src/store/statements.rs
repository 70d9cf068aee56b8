//! Custodians' statements and their lines.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::codec::Reader;
use super::sql::Row;
use super::{Store, Transaction};
use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::import::{LineKind, StatementFile};
use crate::money::Currency;
use crate::reconcile::Sections;

/// Lines written at once.
const BATCH: usize = 2000;

/// A stored statement.
#[derive(Clone, Debug)]
pub struct StatementRow {
    pub id: i64,
    pub account_id: i64,
    pub as_of: Date,
    pub period_start: Option<Date>,
    pub sections: Sections,
    /// Names its content.
    pub content_hash: String,
}

/// A stored line, as far as it is compared.
#[derive(Clone, Debug)]
pub(crate) struct LineRow {
    pub(crate) number: i64,
    pub(crate) kind: LineKind,
    pub(crate) date: Option<Date>,
    pub(crate) type_: Option<String>,
    pub(crate) symbol: Option<String>,
    pub(crate) isin: Option<String>,
    pub(crate) quantity: Option<Decimal>,
    pub(crate) price: Option<Decimal>,
    pub(crate) amount: Option<Decimal>,
    pub(crate) currency: Option<Currency>,
    pub(crate) external_id: Option<String>,
}

/// How sections are stored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Section {
    Transactions,
    Positions,
    Cash,
}

fn section_list(sections: Sections) -> Vec<Section> {
    let named = [
        (sections.transactions, Section::Transactions),
        (sections.positions, Section::Positions),
        (sections.cash, Section::Cash),
    ];
    named
        .into_iter()
        .filter(|(there, _)| *there)
        .map(|(_, section)| section)
        .collect()
}

impl Store {
    /// Writes a statement with its lines, and returns its id and whether it is new: one account, day and content are one
    /// statement.
    pub(crate) async fn put_statement(
        &self,
        account_id: i64,
        file: &StatementFile,
        name: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<(i64, bool)> {
        let mut tx = self.begin().await?;
        let find = self.sql(
            "SELECT id FROM statements WHERE account_id = ?1 AND as_of = ?2::date AND content_hash = ?3",
        );
        let find = find.bind(account_id).bind(file.as_of).bind(hash);
        if let Some(row) = find.all_in(&mut tx).await?.first() {
            return Ok((row.get("id"), false));
        }
        let insert = self.sql(
            "INSERT INTO statements (account_id, custodian, as_of, period_start, sections, source_file, content_hash, imported_at)
             VALUES (?1, ?2, ?3::date, ?4::date, ?5::jsonb, ?6, ?7, ?8::timestamptz) RETURNING id AS found",
        );
        let insert = insert.bind(account_id).bind(file.custodian.as_str());
        let insert = insert.bind(file.as_of).bind(file.period_start);
        let insert = insert.bind(serde_json::to_string(&section_list(file.sections))?);
        let insert = insert.bind(name).bind(hash).bind(now);
        let id: i64 = insert.found_in(&mut tx).await?;
        self.put_lines(&mut tx, id, file).await?;
        self.commit(tx).await?;
        Ok((id, true))
    }

    async fn put_lines(&self, tx: &mut Transaction, id: i64, file: &StatementFile) -> Result<()> {
        for batch in file.lines.chunks(BATCH) {
            let insert = self.sql(
                "INSERT INTO statement_lines (statement_id, line_no, kind, date, settle_date, type, symbol, isin, quantity, price,
                   amount, currency, external_id, description)
                 SELECT ?1, (value ->> 'line_no')::integer, value ->> 'kind', (value ->> 'date')::date, (value ->> 'settle_date')::date,
                   value ->> 'type', value ->> 'symbol', value ->> 'isin', (value ->> 'quantity')::numeric,
                   (value ->> 'price')::numeric, (value ->> 'amount')::numeric, value ->> 'currency', value ->> 'external_id',
                   value ->> 'description'
                 FROM json_each(?2::jsonb)",
            );
            let lines = serde_json::to_string(batch)?;
            insert.bind(id).bind(lines).execute_in(tx).await?;
        }
        Ok(())
    }

    /// A statement by its id.
    pub(crate) async fn statement(&self, id: i64) -> Result<StatementRow> {
        let query = self.sql(
            "SELECT id, account_id, as_of::text, period_start::text, sections::text, content_hash FROM statements WHERE id = ?1",
        );
        let row = query.bind(id).first().await?;
        row.as_ref()
            .map(statement)
            .transpose()?
            .ok_or_else(|| Error::NotFound {
                what: "statement",
                id: id.to_string(),
            })
    }

    /// The last statement of an account that speaks on a day or before it; of several on one day the last imported.
    pub(crate) async fn latest_statement(
        &self,
        account_id: i64,
        until: Date,
    ) -> Result<Option<StatementRow>> {
        let query = self.sql(
            "SELECT id, account_id, as_of::text, period_start::text, sections::text, content_hash FROM statements
             WHERE account_id = ?1 AND as_of <= ?2::date ORDER BY statements.as_of DESC, id DESC LIMIT 1",
        );
        let row = query.bind(account_id).bind(until).first().await?;
        row.as_ref().map(statement).transpose()
    }

    /// The lines of a statement, in order.
    pub(crate) async fn statement_lines(&self, statement_id: i64) -> Result<Vec<LineRow>> {
        let query = self.sql(
            "SELECT line_no::bigint AS line_no, kind, date::text, type, symbol, isin, quantity::text, price::text, amount::text,
               currency, external_id FROM statement_lines WHERE statement_id = ?1 ORDER BY statement_lines.line_no",
        );
        let rows = query.bind(statement_id).all().await?;
        rows.iter().map(line).collect()
    }
}

fn statement(row: &Row) -> Result<StatementRow> {
    let id: i64 = row.get("id");
    let reader = Reader {
        table: "statements",
        id: id.to_string(),
        row,
    };
    let text: String = row.get("sections");
    let named: Vec<Section> =
        serde_json::from_str(&text).map_err(|_| reader.broken("sections", &text))?;
    let mut sections = Sections::default();
    for section in named {
        match section {
            Section::Transactions => sections.transactions = true,
            Section::Positions => sections.positions = true,
            Section::Cash => sections.cash = true,
        }
    }
    Ok(StatementRow {
        id,
        account_id: row.get("account_id"),
        as_of: reader.required("as_of")?,
        period_start: reader.optional("period_start")?,
        sections,
        content_hash: row.get("content_hash"),
    })
}

fn line(row: &Row) -> Result<LineRow> {
    let number: i64 = row.get("line_no");
    let reader = Reader {
        table: "statement_lines",
        id: number.to_string(),
        row,
    };
    let kind: String = row.get("kind");
    Ok(LineRow {
        number,
        kind: match kind.as_str() {
            "position" => LineKind::Position,
            "cash" => LineKind::Cash,
            _ => LineKind::Transaction,
        },
        date: reader.optional("date")?,
        type_: row.get("type"),
        symbol: row.get("symbol"),
        isin: row.get("isin"),
        quantity: reader.optional("quantity")?,
        price: reader.optional("price")?,
        amount: reader.optional("amount")?,
        currency: reader.optional("currency")?,
        external_id: row.get("external_id"),
    })
}
