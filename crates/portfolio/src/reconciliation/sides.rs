//! The two sides of a comparison, loaded.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use crate::carried::Carried;
use crate::dates::{days_between, plus_days};
use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::fx::RateTable;
use crate::import::LineKind;
use crate::ledger::{AccountId, Entry, Kind, Ledger, LedgerError, LotMethod, Rules, cash_of};
use crate::market::Market;
use crate::reconcile::{
    Holding, LedgerSide, Row, StatedCash, StatedPosition, Statement, Tolerances,
};
use crate::store::{AccountRow, LineRow, StatementRow, Store, StoredEntry, asset_index};

/// A dividend may be paid so many days after its ex-date.
const LATE_DAYS: i64 = 45;

/// Symbols of all assets, and which symbol an ISIN has.
pub(super) struct Names {
    symbols: BTreeSet<String>,
    by_isin: HashMap<String, String>,
}

impl Names {
    pub(super) async fn load(store: &Store) -> Result<Names> {
        Ok(Names {
            symbols: store.asset_ids().await?.into_keys().collect(),
            by_isin: store.symbols_by_isin().await?,
        })
    }

    /// The ledger's symbol for a line's security: its own where it is known, else by ISIN.
    fn symbol(&self, line: &LineRow) -> Option<String> {
        let isin = line.isin.as_ref();
        let known = line
            .symbol
            .clone()
            .filter(|symbol| self.symbols.contains(symbol));
        known
            .or_else(|| isin.and_then(|isin| self.by_isin.get(isin).cloned()))
            .or_else(|| line.symbol.clone())
            .or_else(|| isin.cloned())
    }
}

/// The statement as it is compared. Without a first day of its own it covers the days from its first transaction on.
pub(super) fn statement(row: &StatementRow, lines: &[LineRow], names: &Names) -> Statement {
    let mut statement = Statement {
        as_of: row.as_of,
        sections: row.sections,
        rows: Vec::new(),
        positions: BTreeMap::new(),
        cash: BTreeMap::new(),
    };
    for line in lines {
        match line.kind {
            LineKind::Transaction => statement.rows.extend(transaction(line, names)),
            LineKind::Position => add_position(&mut statement, line, names),
            LineKind::Cash => add_cash(&mut statement, line),
        }
    }
    statement
}

/// The days whose rows the statement should have.
pub(super) fn period(row: &StatementRow, statement: &Statement) -> (Date, Date) {
    let first = statement.rows.iter().map(|row| row.date).min();
    let start = row.period_start.or(first).unwrap_or(row.as_of);
    (start.min(row.as_of), row.as_of)
}

fn transaction(line: &LineRow, names: &Names) -> Option<Row> {
    let kind = line.type_.clone()?;
    Some(Row {
        id: line.number,
        quantity: moved(&kind, line.quantity),
        symbol: names.symbol(line),
        amount: line.amount?,
        date: line.date?,
        reference: line.external_id.clone(),
        currency: line.currency?,
        kind,
    })
}

/// Only what moves a position has a quantity that is compared; its sign is in the type.
fn moved(kind: &str, quantity: Option<Decimal>) -> Decimal {
    match kind {
        "buy" | "sell" | "transfer_in" | "transfer_out" => quantity.unwrap_or_default().abs(),
        _ => Decimal::ZERO,
    }
}

/// Lines of one security add up.
fn add_position(statement: &mut Statement, line: &LineRow, names: &Names) {
    let Some((symbol, quantity)) = names.symbol(line).zip(line.quantity) else {
        return;
    };
    let empty = StatedPosition {
        line: line.number,
        quantity: Decimal::ZERO,
        price: line.price,
    };
    statement.positions.entry(symbol).or_insert(empty).quantity += quantity;
}

fn add_cash(statement: &mut Statement, line: &LineRow) {
    let Some((currency, amount)) = line.currency.zip(line.amount) else {
        return;
    };
    let empty = StatedCash {
        line: line.number,
        amount: Decimal::ZERO,
    };
    statement.cash.entry(currency).or_insert(empty).amount += amount;
}

/// What the ledger's side is made of.
pub(super) struct LedgerInput {
    pub(super) account: AccountRow,
    pub(super) entries: Vec<StoredEntry>,
    pub(super) income: crate::ledger::IncomeMode,
}

/// The account as the ledger has it on the statement's day.
pub(super) async fn ledger(
    store: &Store,
    input: &LedgerInput,
    names: &Names,
    statement: &Statement,
    period: (Date, Date),
    tolerances: &Tolerances,
) -> Result<LedgerSide> {
    let assets: BTreeSet<i64> = input.entries.iter().flat_map(StoredEntry::assets).collect();
    let assets: Vec<i64> = assets.into_iter().collect();
    let market = without_rates(&store.market(&assets).await?, input);
    let index = asset_index(&market);
    let entries = input.entries.iter().cloned();
    let entries: Vec<Entry> = entries.map(|entry| entry.resolve(&index)).collect();
    let side = side(input, &market, entries, statement, period, tolerances);
    let mut side = side.map_err(|error| Error::Ledger {
        account: input.account.id,
        source: error,
    })?;
    side.known_symbols.clone_from(&names.symbols);
    Ok(side)
}

/// Both sides speak of each currency on its own, so an account can be compared before there are exchange rates.
fn without_rates(market: &Market, input: &LedgerInput) -> Market {
    let entries = input.entries.iter().map(|stored| &stored.entry);
    let booked = entries.flat_map(|entry| [entry.currency, entry.to_currency]);
    let of_assets = market.assets().iter().flat_map(|asset| {
        let paid = asset.actions.iter().filter_map(|action| action.currency);
        paid.chain([asset.currency])
    });
    let currencies = booked.flatten().chain(of_assets);
    let currencies = currencies.chain([input.account.currency]);
    let one = || Carried::new(vec![(Date::MIN, Decimal::ONE)]);
    let rates = currencies.map(|currency| (currency, one())).collect();
    Market::new(market.assets().to_vec(), RateTable::new(rates))
}

fn side(
    input: &LedgerInput,
    market: &Market,
    entries: Vec<Entry>,
    statement: &Statement,
    period: (Date, Date),
    tolerances: &Tolerances,
) -> Result<LedgerSide, LedgerError> {
    let (account, base) = (AccountId(input.account.id), input.account.currency);
    let rules = Rules {
        base,
        method: LotMethod::Fifo,
        income: input.income,
        short_accounts: input
            .account
            .allow_short
            .then_some(account)
            .into_iter()
            .collect(),
    };
    let near =
        plus_days(period.0, -tolerances.date_days)..=plus_days(period.1, tolerances.date_days);
    let mut rows = Vec::new();
    for entry in entries.iter().filter(|entry| near.contains(&entry.date)) {
        if moves_money(&entry.kind) || states(statement, &entry.kind) {
            rows.extend(rows_of(entry, market, base)?);
        }
    }
    let ledger = Ledger::run(market, rules, entries, period.1)?;
    rows.extend(automatic(&ledger, statement, period));
    Ok(LedgerSide {
        rows,
        positions: positions(&ledger, period.1),
        cash: ledger.cash_by_currency(),
        known_symbols: BTreeSet::new(),
        period: Some(period),
    })
}

/// Not all custodians list what changes lots only.
fn moves_money(kind: &Kind) -> bool {
    !matches!(kind, Kind::Split | Kind::Spinoff | Kind::SymbolChange)
}

fn states(statement: &Statement, kind: &Kind) -> bool {
    statement.rows.iter().any(|row| row.kind == kind.as_str())
}

/// A row for each currency that the entry moves.
fn rows_of(
    entry: &Entry,
    market: &Market,
    base: crate::money::Currency,
) -> Result<Vec<Row>, LedgerError> {
    let kind = entry.kind.as_str();
    let row = |(currency, amount)| Row {
        id: entry.id,
        kind: kind.to_owned(),
        symbol: entry.asset.map(|asset| market.asset(asset).symbol.clone()),
        quantity: moved(kind, entry.quantity),
        amount,
        date: entry.date,
        reference: entry.external_id.clone(),
        currency,
    };
    Ok(cash_of(entry, market, base)?.into_iter().map(row).collect())
}

fn positions(ledger: &Ledger<'_>, date: Date) -> BTreeMap<String, Holding> {
    let mut held: BTreeMap<String, Holding> = BTreeMap::new();
    for ((_, asset), book) in ledger.books() {
        let price = ledger.market().asset(*asset).price(date);
        let empty = Holding {
            quantity: Decimal::ZERO,
            price: price.and_then(|price| {
                price
                    .close
                    .div(price.divisor, crate::decimal::QUANTITY)
                    .ok()
            }),
        };
        let symbol = ledger.market().asset(*asset).symbol.clone();
        held.entry(symbol).or_insert(empty).quantity += book.quantity();
    }
    held.retain(|_, holding| !holding.quantity.is_zero());
    held
}

/// Dividends that corporate actions booked: on the day of the statement's line that pays them, if it has one, else on the
/// ex-date. They have no row of their own; their ids are negative.
fn automatic(ledger: &Ledger<'_>, statement: &Statement, period: (Date, Date)) -> Vec<Row> {
    let mut paid: BTreeSet<i64> = BTreeSet::new();
    let items = ledger.income().iter().filter(|item| item.automatic);
    let rows = items.zip(1_i64..).map(|(item, turn)| {
        let symbol = item
            .asset
            .map(|asset| ledger.market().asset(asset).symbol.clone());
        let pays = statement.rows.iter().filter(|line| {
            line.kind == "dividend"
                && line.symbol == symbol
                && (0..=LATE_DAYS).contains(&days_between(item.date, line.date))
                && !paid.contains(&line.id)
        });
        let line = pays.min_by_key(|line| (line.date, line.id));
        paid.extend(line.map(|line| line.id));
        Row {
            id: -turn,
            kind: "dividend".to_owned(),
            symbol,
            quantity: Decimal::ZERO,
            amount: item.amount - item.tax,
            date: line.map_or(item.date, |line| line.date),
            reference: None,
            currency: item.currency,
        }
    });
    let rows: Vec<Row> = rows.collect();
    rows.into_iter()
        .filter(|row| (period.0..=period.1).contains(&row.date))
        .collect()
}
