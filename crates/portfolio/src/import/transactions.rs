//! Transactions: `account,date,type,symbol,quantity,price,amount,fee,tax,currency,external_id,…`.

use std::collections::HashMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::cells::Cells;
use super::lots::{self, NamedPick};
use super::table::{self, Columns, Table};
use super::{BATCH, BadRow, ImportReport, Input, NO_SUCH_ASSET, OnProgress};
use crate::decimal::{Decimal, MONEY, QUANTITY};
use crate::error::Result;
use crate::ledger::Kind;
use crate::store::{NewTransaction, ROWS_TOGETHER, Store, Transaction};

const COLUMNS: Columns = Columns {
    required: &["account", "date", "type", "currency"],
    optional: &[
        "symbol",
        "quantity",
        "price",
        "amount",
        "fee",
        "tax",
        "external_id",
        "settle_date",
        "note",
        "executed_at",
        "to_currency",
        "to_amount",
        "to_symbol",
        "ratio",
        "cost_fraction",
        "acquired_on",
        lots::COLUMN,
    ],
    open: false,
};

/// Whose transactions these are, and who recorded them.
#[derive(Clone, Copy, Debug)]
pub struct TransactionImport<'a> {
    /// The owner of the accounts that rows name.
    pub user_id: i64,
    /// External ids are unique within an account and source.
    pub source: &'a str,
}

/// Rows without external id that a file may have: what they hold is remembered while the file is read.
const UNNAMED_LIMIT: usize = 2_000_000;

/// Known accounts and assets by name, and how often a row without id has been seen.
struct Context<'a> {
    source: &'a str,
    accounts: HashMap<String, i64>,
    assets: HashMap<String, i64>,
    seen: HashMap<[u8; 16], u32>,
}

/// A row that has been read, and what it still needs of the store.
struct Line {
    number: u64,
    row: NewTransaction,
    picks: Vec<NamedPick>,
}

/// Imports transactions of one user. Accounts and symbols must exist. A row without external id is known by its content
/// and its turn among equal rows, so that look-alikes are kept and importing again adds nothing.
///
/// # Errors
/// A user who does not exist, a file that is not such a table, more than two million rows without external id, or a
/// database error; then nothing was stored.
pub async fn import_transactions<'s>(
    store: &Store,
    file: impl Into<Input<'s>>,
    import: TransactionImport<'_>,
    progress: OnProgress<'_>,
) -> Result<ImportReport> {
    store.require_user(import.user_id).await?;
    let mut context = Context::of(store, import).await?;
    let input = file.into();
    let (name, now) = (input.name.clone(), input.now);
    let mut table = Table::open(input, &COLUMNS)?;
    let mut sink = Sink {
        store,
        tx: store.begin().await?,
        now,
        rows: Vec::with_capacity(ROWS_TOGETHER),
        written: 0,
    };
    while let Some(line) = table.next(&mut |cells| context.line(cells))? {
        if context.seen.len() > UNNAMED_LIMIT {
            let problem = "it has more than 2,000,000 rows without external_id: name the rows, or split the file";
            return Err(table::problem(&name, problem));
        }
        if let Err(bad) = sink.take(line).await? {
            table.report.refuse(bad);
        }
        if table.report.rows.is_multiple_of(BATCH as u64) {
            progress(table.progress());
        }
    }
    let written = sink.finish().await?;
    table.report.stored(written);
    Ok(table.finish(progress))
}

/// Rows on their way into the store, many at once.
struct Sink<'s> {
    store: &'s Store,
    tx: Transaction,
    now: Timestamp,
    rows: Vec<NewTransaction>,
    written: u64,
}

impl Sink<'_> {
    /// Takes a row, unless it names a lot that is not there.
    async fn take(&mut self, mut line: Line) -> Result<Result<(), BadRow>> {
        if !line.picks.is_empty() {
            // The rows that opened its lots must be there to be found.
            self.flush().await?;
            match lots::find(self.store, &mut self.tx, &line.row, &line.picks).await? {
                Ok(picks) => line.row.lot_picks = picks,
                Err(missing) => return Ok(Err(line.no_lot(missing))),
            }
        }
        self.rows.push(line.row);
        if self.rows.len() == ROWS_TOGETHER {
            self.flush().await?;
        }
        Ok(Ok(()))
    }

    async fn flush(&mut self) -> Result<()> {
        let Self { tx, rows, .. } = self;
        self.written += self.store.put_transactions(tx, rows, self.now).await?;
        self.rows.clear();
        Ok(())
    }

    /// Stores what is left; how many rows were added.
    async fn finish(mut self) -> Result<u64> {
        self.flush().await?;
        self.store.commit(self.tx).await?;
        Ok(self.written)
    }
}

impl Line {
    fn no_lot(self, missing: String) -> BadRow {
        BadRow {
            line: self.number,
            field: lots::COLUMN.to_owned(),
            value: missing,
            rule: "is not the external_id of an earlier row of this account".to_owned(),
        }
    }
}

impl<'a> Context<'a> {
    async fn of(store: &Store, import: TransactionImport<'a>) -> Result<Context<'a>> {
        let accounts = store.accounts(import.user_id).await?.into_iter();
        Ok(Context {
            source: import.source,
            accounts: accounts.map(|account| (account.name, account.id)).collect(),
            assets: store.asset_ids().await?,
            seen: HashMap::new(),
        })
    }

    fn line(&mut self, cells: &Cells<'_>) -> Result<Line, BadRow> {
        Ok(Line {
            number: cells.line,
            row: self.transaction(cells)?,
            picks: lots::read(cells)?,
        })
    }

    fn transaction(&mut self, cells: &Cells<'_>) -> Result<NewTransaction, BadRow> {
        let account = cells.required("account")?;
        let kind = Kind::parse(cells.required("type")?);
        if matches!(kind, Kind::Unknown(_)) {
            return Err(cells.bad("type", "is not a type of transaction"));
        }
        let row = NewTransaction {
            account_id: *self
                .accounts
                .get(account)
                .ok_or_else(|| cells.bad("account", self.no_such_account()))?,
            asset_id: self.asset(cells, "symbol")?,
            trade_date: cells.date("date")?,
            settle_date: cells.optional_date("settle_date")?,
            executed_at: cells.optional("executed_at")?,
            quantity: scaled(
                cells,
                "quantity",
                cells.optional_positive("quantity")?,
                QUANTITY,
            )?,
            price: cells.optional("price")?,
            amount: scaled(cells, "amount", cells.optional("amount")?, MONEY)?,
            fee: charge(cells, "fee")?,
            tax: charge(cells, "tax")?,
            currency: cells.currency("currency")?,
            to_currency: cells.optional("to_currency")?,
            to_amount: scaled(
                cells,
                "to_amount",
                cells.optional_positive("to_amount")?,
                MONEY,
            )?,
            to_asset_id: self.asset(cells, "to_symbol")?,
            ratio: cells.optional_positive("ratio")?,
            cost_fraction: cells.optional_positive("cost_fraction")?,
            acquired_on: cells.optional_date("acquired_on")?,
            lot_picks: Vec::new(),
            source: self.source.to_owned(),
            external_id: Some(self.external_id(cells)),
            note: Some(cells.text("note"))
                .filter(|note| !note.is_empty())
                .map(str::to_owned),
            kind,
        };
        complete(cells, &row)?;
        Ok(row)
    }

    fn asset(&self, cells: &Cells<'_>, field: &str) -> Result<Option<i64>, BadRow> {
        match cells.text(field) {
            "" => Ok(None),
            symbol => self
                .assets
                .get(&symbol.to_uppercase())
                .copied()
                .map(Some)
                .ok_or_else(|| cells.bad(field, NO_SUCH_ASSET)),
        }
    }

    fn no_such_account(&self) -> String {
        let mut names: Vec<&str> = self.accounts.keys().map(String::as_str).collect();
        names.sort_unstable();
        match names.as_slice() {
            [] => "is not an account of this user, who has none: celeriac finance accounts set adds one".to_owned(),
            names => format!(
                "is not an account of this user, who has {}",
                names.join(", ")
            ),
        }
    }

    fn external_id(&mut self, cells: &Cells<'_>) -> String {
        let given = cells.text("external_id");
        if !given.is_empty() {
            return given.to_owned();
        }
        let mut hash = Sha256::new();
        for (name, value) in cells.all() {
            hash.update(name.as_bytes());
            hash.update([0]);
            hash.update(value.as_bytes());
            hash.update([0]);
        }
        let mut content = [0; 16];
        content.copy_from_slice(&hash.finalize()[..16]);
        let turn = self.seen.entry(content).or_default();
        *turn += 1;
        format!("row-{}-{turn}", hex::encode(content))
    }
}

fn scaled(
    cells: &Cells<'_>,
    field: &str,
    value: Option<Decimal>,
    places: u32,
) -> Result<Option<Decimal>, BadRow> {
    match value {
        Some(number) if number.round(places) != number => Err(cells.bad(
            field,
            format!("must have at most {places} digits after the decimal point"),
        )),
        other => Ok(other),
    }
}

fn charge(cells: &Cells<'_>, field: &str) -> Result<Decimal, BadRow> {
    let charge: Decimal = scaled(cells, field, cells.optional(field)?, MONEY)?.unwrap_or_default();
    if charge.is_negative() {
        Err(cells.bad(field, "must not be negative"))
    } else {
        Ok(charge)
    }
}

/// What each type needs beyond account, date and currency.
fn complete(cells: &Cells<'_>, row: &NewTransaction) -> Result<(), BadRow> {
    let needs: &[&str] = match row.kind {
        Kind::Buy | Kind::Sell => &["symbol", "quantity"],
        Kind::TransferIn => &["symbol", "quantity", "amount"],
        Kind::TransferOut => &["symbol", "quantity"],
        Kind::Dividend | Kind::ReturnOfCapital | Kind::CashInLieu => &["symbol", "amount"],
        Kind::Split => &["symbol", "ratio"],
        Kind::Spinoff => &["symbol", "to_symbol", "ratio", "cost_fraction"],
        Kind::SymbolChange => &["symbol", "to_symbol"],
        Kind::FxConversion => &["amount", "to_currency", "to_amount"],
        _ => &["amount"],
    };
    for field in needs {
        cells.required(field)?;
    }
    let trade = matches!(row.kind, Kind::Buy | Kind::Sell);
    if trade && row.price.is_none() && row.amount.is_none() {
        return Err(cells.bad("price", "must be given when amount is not"));
    }
    if row.price.is_some_and(|price| price.is_negative()) {
        return Err(cells.bad("price", "must not be negative"));
    }
    Ok(())
}
