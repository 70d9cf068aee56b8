//! The ledger's rows.

use std::collections::HashMap;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::codec::id_list;
use super::sql::{Query, Row};
use super::{Store, Transaction};
use crate::by_id::ById;
use crate::dates::iso_date;
use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::ledger::{AccountId, Entry, Kind, Pick};
use crate::market::{AssetIx, Market};
use crate::money::Currency;

/// A row to be stored; account, source and external id identify. One without external id is always new.
#[derive(Clone, Debug)]
pub struct NewTransaction {
    pub account_id: i64,
    pub asset_id: Option<i64>,
    pub kind: Kind,
    pub trade_date: Date,
    pub settle_date: Option<Date>,
    pub executed_at: Option<Timestamp>,
    pub quantity: Option<Decimal>,
    pub price: Option<Decimal>,
    pub amount: Option<Decimal>,
    pub fee: Decimal,
    pub tax: Decimal,
    pub currency: Currency,
    pub to_currency: Option<Currency>,
    pub to_amount: Option<Decimal>,
    pub to_asset_id: Option<i64>,
    pub ratio: Option<Decimal>,
    pub cost_fraction: Option<Decimal>,
    pub acquired_on: Option<Date>,
    /// The lots that a sale closes, by the ids of the rows that opened them.
    pub lot_picks: Vec<Pick>,
    pub source: String,
    pub external_id: Option<String>,
    pub note: Option<String>,
}

/// A row before its assets are looked up in a market.
#[derive(Clone, Debug)]
pub(crate) struct StoredEntry {
    pub(crate) entry: Entry,
    pub(crate) asset_id: Option<i64>,
    pub(crate) to_asset_id: Option<i64>,
    /// The hash of the whole row as the database gave it.
    pub(crate) hash: [u8; 32],
}

/// Stands between the fields of [`entries_text`].
const SEPARATOR: u8 = 0x1f;
/// How many of them a row has, unless a text that others wrote holds some too.
const SEPARATORS: usize = 21;

/// Rows as one text, each with its fields in the order in which [`stored_entry`] takes them: they come out of the database many
/// times faster so than row by row. Texts that others write stand at the end of a row behind their lengths, so that they may
/// hold anything.
macro_rules! entries_text {
    () => {
        "string_agg(format('%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s\u{1f}%s%s',
           transactions.id, account_id, asset_id, to_asset_id, type, trade_date, executed_at, quantity, price, amount, fee, tax,
           currency, to_currency, to_amount, ratio, cost_fraction, acquired_on, lot_picks, length(source), length(external_id),
           source, external_id), '')"
    };
}

/// Rows of one statement.
pub(crate) const ROWS_TOGETHER: usize = 256;

const ADDED: &str =
    "ON CONFLICT (account_id, source, external_id) WHERE external_id IS NOT NULL DO NOTHING";
const ADDED_IDS: &str = "ON CONFLICT (account_id, source, external_id) WHERE external_id IS NOT NULL DO NOTHING RETURNING id AS found";

impl Store {
    /// Adds a row and returns its id; `None` when its external id is there already.
    ///
    /// # Errors
    /// A type that is not known, an account or asset that does not exist, or a database error.
    pub async fn add_transaction(
        &self,
        row: &NewTransaction,
        now: Timestamp,
    ) -> Result<Option<i64>> {
        if let Kind::Unknown(kind) = &row.kind {
            return Err(Error::InvalidArgument {
                field: "type",
                value: kind.to_string(),
                rule: "is not a type of transaction",
            });
        }
        let mut tx = self.begin().await?;
        let query = self.insertion(std::slice::from_ref(row), now, ADDED_IDS)?;
        let added = query.all_in(&mut tx).await?;
        self.commit(tx).await?;
        Ok(added.first().map(|row| row.get("found")))
    }

    /// As [`Store::add_transaction`], for many rows of known types and within a transaction; returns how many were added.
    pub(crate) async fn put_transactions(
        &self,
        tx: &mut Transaction,
        rows: &[NewTransaction],
        now: Timestamp,
    ) -> Result<u64> {
        let mut added = 0;
        for rows in rows.chunks(ROWS_TOGETHER) {
            let query = self.insertion(rows, now, ADDED)?;
            added += query.execute_in(tx).await?;
        }
        Ok(added)
    }

    fn insertion(
        &self,
        rows: &[NewTransaction],
        now: Timestamp,
        tail: &'static str,
    ) -> Result<Query<'_>> {
        let mut query = self.sql_of_rows(
            "INSERT INTO transactions (account_id, asset_id, type, trade_date, settle_date, executed_at, quantity, price, amount,
               fee, tax, currency, to_currency, to_amount, to_asset_id, ratio, cost_fraction, acquired_on, source, external_id, note, created_at, lot_picks)",
            "(?, ?, ?, ?::date, ?::date, ?::timestamptz, ?::numeric, ?::numeric, ?::numeric, ?::numeric, ?::numeric,
               ?, ?, ?::numeric, ?, ?::numeric, ?::numeric, ?::date, ?, ?, ?, ?::timestamptz, ?::jsonb)",
            rows.len(),
            tail,
        );
        for row in rows {
            query = with_row(query, row).bind(now).bind(picks(&row.lot_picks)?);
        }
        Ok(query)
    }

    /// The id of a row that its recorder named.
    pub(crate) async fn transaction_named(
        &self,
        tx: &mut Transaction,
        account_id: i64,
        source: &str,
        external_id: &str,
    ) -> Result<Option<i64>> {
        let query = self.sql(
            "SELECT id AS found FROM transactions WHERE account_id = ?1 AND source = ?2 AND external_id = ?3",
        );
        let query = query.bind(account_id).bind(source).bind(external_id);
        let rows = query.all_in(tx).await?;
        Ok(rows.first().map(|row| row.get("found")))
    }

    /// The rows of an account, in the order of their ids.
    pub(crate) async fn account_entries(&self, account_id: i64) -> Result<Vec<StoredEntry>> {
        let query = self.sql(concat!(
            "SELECT ",
            entries_text!(),
            " AS found FROM transactions WHERE account_id = ?1"
        ));
        let text: Option<String> = query.bind(account_id).found().await?;
        stored_entries(&text.unwrap_or_default())
    }

    /// The rows of several portfolios, by portfolio, in the order of their ids. A shared account's rows appear under each.
    pub(crate) async fn entries(
        &self,
        portfolio_ids: &[i64],
    ) -> Result<HashMap<i64, Vec<StoredEntry>>> {
        let query = self.sql(concat!(
            "SELECT id, (SELECT ",
            entries_text!(),
            " FROM portfolio_accounts JOIN transactions USING (account_id) WHERE portfolio_id = portfolios.id) AS entries
             FROM portfolios WHERE id IN (SELECT value::bigint FROM json_each(?1::jsonb))"
        ));
        let query = query.bind(id_list(portfolio_ids.iter().copied()));
        let mut entries: HashMap<i64, Vec<StoredEntry>> = HashMap::new();
        let take = |row: &Row| {
            let text: Option<String> = row.get("entries");
            entries.insert(row.get("id"), stored_entries(&text.unwrap_or_default())?);
            Ok(())
        };
        query.each(take).await?;
        Ok(entries)
    }

    /// How many rows the accounts of portfolios hold; those of a shared account count once.
    pub(crate) async fn count_transactions(&self, portfolio_ids: &[i64]) -> Result<usize> {
        let query = self.sql(
            "SELECT count(*) AS found FROM transactions WHERE account_id IN
               (SELECT account_id FROM portfolio_accounts WHERE portfolio_id IN (SELECT value::bigint FROM json_each(?1::jsonb)))",
        );
        let query = query.bind(id_list(portfolio_ids.iter().copied()));
        let count: i64 = query.found().await?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// The assets of which there are rows.
    pub(crate) async fn traded_assets(&self) -> Result<Vec<i64>> {
        let query = self.sql(
            "SELECT id FROM assets WHERE EXISTS (SELECT 1 FROM transactions WHERE asset_id = assets.id)",
        );
        let ids = query.all().await?;
        Ok(ids.iter().map(|row| row.get("id")).collect())
    }

    /// Accounts in which sales may exceed what is held.
    pub(crate) async fn short_accounts(&self) -> Result<Vec<AccountId>> {
        let query = self.sql("SELECT id FROM accounts WHERE allow_short");
        let ids = query.all().await?;
        Ok(ids.iter().map(|row| AccountId(row.get("id"))).collect())
    }
}

impl StoredEntry {
    /// The assets that the row names.
    pub(crate) fn assets(&self) -> impl Iterator<Item = i64> + use<> {
        self.asset_id.into_iter().chain(self.to_asset_id)
    }

    /// The row with its assets as indices into `market`, which must hold them.
    pub(crate) fn resolve(self, index: &ById<AssetIx>) -> Entry {
        let mut entry = self.entry;
        let find = |id: Option<i64>| id.and_then(|id| index.get(&id).copied());
        entry.asset = find(self.asset_id);
        entry.to_asset = find(self.to_asset_id);
        entry
    }
}

/// Binds the columns that a row fills itself, but for its picks.
fn with_row<'q>(query: Query<'q>, row: &NewTransaction) -> Query<'q> {
    query
        .bind(row.account_id)
        .bind(row.asset_id)
        .bind(row.kind.as_str())
        .bind(row.trade_date)
        .bind(row.settle_date)
        .bind(row.executed_at)
        .bind(row.quantity)
        .bind(row.price)
        .bind(row.amount)
        .bind(row.fee)
        .bind(row.tax)
        .bind(row.currency)
        .bind(row.to_currency)
        .bind(row.to_amount)
        .bind(row.to_asset_id)
        .bind(row.ratio)
        .bind(row.cost_fraction)
        .bind(row.acquired_on)
        .bind(row.source.as_str())
        .bind(row.external_id.clone())
        .bind(row.note.clone())
}

/// The column's text; null without picks.
fn picks(picks: &[Pick]) -> Result<Option<String>> {
    let given = Some(picks).filter(|picks| !picks.is_empty());
    Ok(given.map(serde_json::to_string).transpose()?)
}

/// Market indices by asset id.
pub(crate) fn asset_index(market: &Market) -> ById<AssetIx> {
    market
        .assets()
        .iter()
        .enumerate()
        .map(|(index, asset)| (asset.id, AssetIx(index)))
        .collect()
}

/// The rows of a text of [`entries_text`], in the order of their ids.
fn stored_entries(text: &str) -> Result<Vec<StoredEntry>> {
    let separators = text.bytes().filter(|byte| *byte == SEPARATOR).count();
    let mut entries = Vec::with_capacity(separators / SEPARATORS);
    let mut left = text;
    while !left.is_empty() {
        let mut fields = Fields::of(left);
        let entry = stored_entry(&mut fields)?;
        let (row, rest) = left.split_at(left.len() - fields.left.len());
        let hash = Sha256::digest(row).into();
        entries.push(StoredEntry { hash, ..entry });
        left = rest;
    }
    entries.sort_by_key(|stored| stored.entry.id);
    Ok(entries)
}

/// The next row, but for its hash.
fn stored_entry(fields: &mut Fields<'_>) -> Result<StoredEntry> {
    let id = fields.required("id")?;
    let account = AccountId(fields.required("account_id")?);
    let (asset_id, to_asset_id) = (
        fields.optional("asset_id")?,
        fields.optional("to_asset_id")?,
    );
    let kind = Kind::parse(fields.next());
    let mut entry = Entry::new(id, account, kind, fields.date("trade_date")?);
    entry.executed_at = fields.optional("executed_at")?;
    entry.quantity = fields.optional("quantity")?;
    entry.price = fields.optional("price")?;
    entry.amount = fields.optional("amount")?;
    entry.fee = fields.required("fee")?;
    entry.tax = fields.required("tax")?;
    entry.currency = Some(fields.required("currency")?);
    entry.to_currency = fields.optional("to_currency")?;
    entry.to_amount = fields.optional("to_amount")?;
    entry.ratio = fields.optional("ratio")?;
    entry.cost_fraction = fields.optional("cost_fraction")?;
    entry.acquired_on = fields.optional("acquired_on")?;
    let picks = fields.next();
    if !picks.is_empty() {
        entry.lot_picks =
            serde_json::from_str(picks).map_err(|_| fields.broken("lot_picks", picks))?;
    }
    let (source, external_id) = (fields.required("source")?, fields.optional("external_id")?);
    entry.source = fields.characters(source).to_owned();
    entry.external_id = external_id.map(|length| fields.characters(length).to_owned());
    Ok(StoredEntry {
        entry,
        asset_id,
        to_asset_id,
        hash: [0; 32],
    })
}

/// The fields of a row's text, and what follows it.
struct Fields<'t> {
    row: &'t str,
    left: &'t str,
}

impl<'t> Fields<'t> {
    fn of(text: &'t str) -> Fields<'t> {
        Fields {
            row: text,
            left: text,
        }
    }

    fn next(&mut self) -> &'t str {
        let end = self.left.bytes().position(|byte| byte == SEPARATOR);
        let end = end.unwrap_or(self.left.len());
        let (field, rest) = self.left.split_at(end);
        self.left = rest.get(1..).unwrap_or_default();
        field
    }

    /// As many characters of what is left.
    fn characters(&mut self, count: usize) -> &'t str {
        let end = self.left.char_indices().nth(count);
        let end = end.map_or(self.left.len(), |(end, _)| end);
        let (text, rest) = self.left.split_at(end);
        self.left = rest;
        text
    }

    fn optional<T: FromStr>(&mut self, column: &'static str) -> Result<Option<T>> {
        match self.next() {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| self.broken(column, text)),
        }
    }

    fn required<T: FromStr>(&mut self, column: &'static str) -> Result<T> {
        self.optional(column)?
            .ok_or_else(|| self.broken(column, "null"))
    }

    fn date(&mut self, column: &'static str) -> Result<Date> {
        let text = self.next();
        iso_date(text).ok_or_else(|| self.broken(column, text))
    }

    fn broken(&self, column: &'static str, value: &str) -> Error {
        Error::StoredValue {
            table: "transactions",
            row: Fields::of(self.row).next().to_owned(),
            column,
            value: value.to_owned(),
        }
    }
}
