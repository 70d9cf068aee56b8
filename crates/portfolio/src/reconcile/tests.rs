#![allow(clippy::unwrap_used)]

use std::time::Instant;

use super::{BreakType, LedgerSide, Row, Sections, Statement, Tolerances, reconcile};
use crate::decimal::Decimal;

fn row(id: i64, kind: &str, date: &str, amount: &str) -> Row {
    Row {
        id,
        kind: kind.to_owned(),
        symbol: Some("IBM".to_owned()),
        quantity: Decimal::ZERO,
        amount: amount.parse().unwrap(),
        date: date.parse().unwrap(),
        reference: None,
        currency: "USD".parse().unwrap(),
    }
}

fn sides(ledger: Vec<Row>, lines: Vec<Row>) -> (LedgerSide, Statement) {
    let ledger = LedgerSide {
        rows: ledger,
        ..LedgerSide::default()
    };
    let statement = Statement {
        as_of: "2010-03-31".parse().unwrap(),
        sections: Sections {
            transactions: true,
            ..Sections::default()
        },
        rows: lines,
        positions: Default::default(),
        cash: Default::default(),
    };
    (ledger, statement)
}

#[test]
fn a_break_says_what_a_person_can_do() {
    let booked = row(7, "dividend", "2010-03-10", "55.00");
    let stated = row(12, "dividend", "2010-03-10", "46.75");
    let (ledger, statement) = sides(vec![booked], vec![stated]);
    let soft = Tolerances {
        soft_rel: "0.2".parse().unwrap(),
        ..Tolerances::default()
    };
    let outcome = reconcile(1, &ledger, &statement, &soft);
    assert_eq!(
        outcome.breaks[0].explanation,
        "Statement line 12 pays 46.75 USD for the IBM dividend of 2010-03-10; the ledger has 55.00 (15.0 % less: withholding tax?)"
    );
}

#[test]
fn a_fingerprint_outlives_line_numbers_and_tells_twins_apart() {
    let prints = |first: i64, second: i64| {
        let lines = [first, second].map(|id| row(id, "fee", "2010-03-10", "-3"));
        let (ledger, statement) = sides(Vec::new(), lines.to_vec());
        let outcome = reconcile(1, &ledger, &statement, &Tolerances::default());
        outcome
            .breaks
            .into_iter()
            .map(|found| found.fingerprint)
            .collect::<Vec<_>>()
    };
    assert_eq!(prints(3, 4), prints(30, 41));
    assert_ne!(prints(3, 4)[0], prints(3, 4)[1]);
}

#[test]
fn fingerprints_of_accounts_differ() {
    let (ledger, statement) = sides(Vec::new(), vec![row(1, "fee", "2010-03-10", "-3")]);
    let print = |account| {
        let outcome = reconcile(account, &ledger, &statement, &Tolerances::default());
        assert_eq!(outcome.breaks[0].kind, BreakType::MissingInLedger);
        outcome.breaks[0].fingerprint.clone()
    };
    assert_ne!(print(1), print(2));
}

/// A square of this many equal rows would not end within the suite's time.
#[test]
fn a_hundred_thousand_equal_rows_pair_up() {
    let rows: Vec<Row> = (0..100_000)
        .map(|id| row(id, "fee", "2010-03-10", "-3"))
        .collect();
    let (ledger, statement) = sides(rows.clone(), rows);
    let started = Instant::now();
    let outcome = reconcile(1, &ledger, &statement, &Tolerances::default());
    println!("100,000 equal rows: {:?}", started.elapsed());
    assert_eq!(outcome.counts.matched_ledger, 100_000);
    assert!(
        outcome
            .matches
            .iter()
            .all(|found| found.ledger == found.lines)
    );
}
