//! Transactions: `account,date,type,symbol,quantity,price,amount,fee,tax,currency,external_id,…`.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::cells::Cells;
use super::table::{Columns, read};
use super::{BATCH, BadRow, ImportReport, OnProgress, Source};
use crate::decimal::{Decimal, MONEY, QUANTITY};
use crate::error::Result;
use crate::ledger::Kind;
use crate::progress::Progress;
use crate::store::{NewTransaction, Store};

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

/// Known accounts and assets by name, and how often a row without id has been seen.
struct Context<'a> {
    source: &'a str,
    accounts: HashMap<String, i64>,
    assets: HashMap<String, i64>,
    seen: HashMap<String, u32>,
}

/// Imports transactions of one user. Accounts and symbols must exist. A row without external id is known by its content
/// and its turn among equal rows, so that look-alikes are kept and importing again adds nothing.
pub async fn import_transactions(
    store: &Store,
    file: Source<'_>,
    import: TransactionImport<'_>,
    progress: OnProgress<'_>,
) -> Result<ImportReport> {
    store.require_user(import.user_id).await?;
    let accounts = store
        .accounts(import.user_id)
        .await?
        .into_iter()
        .map(|account| (account.name, account.id))
        .collect();
    let mut context = Context {
        source: import.source,
        accounts,
        assets: store.asset_ids().await?,
        seen: HashMap::new(),
    };
    let mut rows = Vec::new();
    let mut report = read(file, &COLUMNS, progress, |cells| {
        rows.push(context.transaction(cells)?);
        Ok(())
    })?;
    let mut written = 0;
    let mut tx = store.begin().await?;
    for (index, row) in rows.iter().enumerate() {
        written += u64::from(store.add_transaction(&mut tx, row, file.now).await?);
        if index % BATCH == 0 || index + 1 == rows.len() {
            progress(Progress {
                phase: "store",
                current: index as u64 + 1,
                total: rows.len() as u64,
            });
        }
    }
    store.commit(tx).await?;
    report.stored(written);
    Ok(report)
}

impl Context<'_> {
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
                .ok_or_else(|| cells.bad("account", "is not an account of this user"))?,
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
            source: self.source.to_owned(),
            external_id: self.external_id(cells),
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
                .ok_or_else(|| cells.bad(field, "is not a known asset: add it first")),
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
        let content: String = hash
            .finalize()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let turn = self.seen.entry(content.clone()).or_default();
        *turn += 1;
        format!("row-{content}-{turn}")
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
