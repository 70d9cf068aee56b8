//! A large account beside its custodian's statement, from memory.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use portfolio::decimal::Decimal;
use portfolio::reconcile::{LedgerSide, Row, Sections, Statement, Tolerances, reconcile};

use crate::figures::{Began, Figure};

const LINES: i64 = 100_000;
/// Of how many rows one is missing on the other side.
const MISSING: i64 = 500;
const START: Date = date(2009, 1, 2);

pub(crate) fn measure() -> anyhow::Result<Figure> {
    let mut rng = Rng::with_seed(11);
    let rows: anyhow::Result<Vec<Row>> = (1..=LINES).map(|id| row(id, &mut rng)).collect();
    let rows = rows?;
    let ledger = LedgerSide {
        rows: rows
            .iter()
            .filter(|row| row.id % MISSING != 0)
            .cloned()
            .collect(),
        ..LedgerSide::default()
    };
    let lines = rows.into_iter().filter(|row| row.id % MISSING != 1);
    let statement = Statement {
        as_of: START.checked_add(4_000.days())?,
        sections: Sections {
            transactions: true,
            ..Sections::default()
        },
        rows: lines.map(as_a_line).collect(),
        positions: BTreeMap::new(),
        cash: BTreeMap::new(),
    };
    let began = Began::now()?;
    let outcome = reconcile(1, &ledger, &statement, &Tolerances::default());
    let figure = began.figure();
    let matched = outcome.matches.len();
    anyhow::ensure!(
        i64::try_from(matched)? >= LINES - 3 * LINES / MISSING,
        "only {matched} rows were matched"
    );
    figure
}

/// A purchase or a sale of one of 200 assets.
fn row(id: i64, rng: &mut Rng) -> anyhow::Result<Row> {
    let buys = rng.bool();
    let amount = Decimal::from_int(rng.i64(100..1_000_000));
    Ok(Row {
        id,
        kind: if buys { "buy" } else { "sell" }.to_owned(),
        symbol: Some(format!("A{:03}", rng.u32(0..200))),
        quantity: Decimal::from_int(rng.i64(1..1_000)),
        amount: if buys { -amount } else { amount },
        date: START.checked_add(rng.i64(0..3_600).days())?,
        reference: (id % 2 == 0).then(|| format!("R{id}")),
        currency: "USD".parse()?,
    })
}

/// As the custodian has it: every tenth a day later.
fn as_a_line(mut row: Row) -> Row {
    if row.id % 10 == 3 {
        row.date = row.date.tomorrow().unwrap_or(row.date);
    }
    row
}
