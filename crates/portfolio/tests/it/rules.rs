//! Ledger rules that no oracle case shows: brokers' own splits, fractions in cash, prices across splits, bad rows.

use jiff::civil::{Date, date};
use portfolio::carried::Carried;
use portfolio::fx::RateTable;
use portfolio::ledger::{
    AccountId, Entry, IncomeMode, Kind, Ledger, LedgerError, LotMethod, Pick, Rules,
};
use portfolio::market::{Action, ActionKind, Asset, AssetIx, Market};
use portfolio::valuation::Valuation;

const SPLIT_DAY: Date = date(2010, 6, 1);

fn market() -> Market {
    let split = Action {
        ex_date: SPLIT_DAY,
        kind: ActionKind::Split,
        value: "3".parse().unwrap(),
        currency: None,
    };
    let asset = Asset {
        id: 1,
        symbol: "ZZ".to_owned(),
        currency: "USD".parse().unwrap(),
        class: "equity".to_owned(),
        sector: None,
        country: None,
        closes: Carried::new(vec![(date(2010, 5, 3), "100".parse().unwrap())]),
        actions: vec![split],
    };
    Market::new(vec![asset], RateTable::default())
}

fn row(id: i64, kind: Kind, date: Date, quantity: Option<&str>, amount: Option<&str>) -> Entry {
    let mut entry = Entry::new(id, AccountId(1), kind, date);
    entry.asset = Some(AssetIx(0));
    entry.quantity = quantity.map(|text| text.parse().unwrap());
    entry.amount = amount.map(|text| text.parse().unwrap());
    entry
}

fn bought(quantity: &str) -> Entry {
    row(1, Kind::Buy, date(2010, 5, 3), Some(quantity), Some("1000"))
}

fn run(market: &Market, entries: Vec<Entry>) -> Result<Ledger<'_>, LedgerError> {
    let rules = Rules {
        base: "USD".parse().unwrap(),
        method: LotMethod::Specific,
        income: IncomeMode::Ledger,
        short_accounts: Default::default(),
    };
    Ledger::run(market, rules, entries, date(2010, 12, 31))
}

fn held(ledger: &Ledger<'_>) -> String {
    ledger.books()[&(AccountId(1), AssetIx(0))]
        .quantity()
        .to_string()
}

fn split_row(date: Date, ratio: &str) -> Entry {
    let mut entry = row(2, Kind::Split, date, None, None);
    entry.ratio = Some(ratio.parse().unwrap());
    entry
}

#[test]
fn a_brokers_split_near_a_known_one_is_the_same() {
    let market = market();
    let near = run(
        &market,
        vec![bought("10"), split_row(date(2010, 6, 6), "3")],
    )
    .unwrap();
    assert_eq!(held(&near), "30");
    let other = run(
        &market,
        vec![bought("10"), split_row(date(2010, 6, 7), "2")],
    )
    .unwrap();
    assert_eq!(held(&other), "60");
}

#[test]
fn cash_in_lieu_sells_the_fraction() {
    let market = market();
    let cash = row(2, Kind::CashInLieu, date(2010, 6, 10), None, Some("25"));
    let ledger = run(&market, vec![bought("10.25"), cash.clone()]).unwrap();
    assert_eq!(held(&ledger), "30");
    let gain = &ledger.realised()[0];
    assert_eq!(
        (gain.quantity.to_string(), gain.proceeds.to_string()),
        ("0.75".to_owned(), "25".to_owned())
    );
    assert_eq!(gain.cost.to_string(), "24.3902439");
    assert!(
        matches!(
            run(&market, vec![bought("10"), cash]),
            Err(LedgerError::Oversell { .. })
        ),
        "nothing to sell"
    );
}

#[test]
fn a_price_carried_across_a_split_is_not_rounded_before_the_product() {
    let market = market();
    let ledger = run(&market, vec![bought("10")]).unwrap();
    let valuation = Valuation::of(&ledger, SPLIT_DAY).unwrap();
    let position = &valuation.positions[&AssetIx(0)];
    assert_eq!(position.value.to_string(), "1000");
    assert_eq!(position.price.text(), format!("33.{}", "3".repeat(58)));
    assert_eq!(position.stale_days, Some(29));
}

#[test]
fn rows_that_lack_something_say_what() {
    let market = market();
    let fails = |entries: Vec<Entry>| run(&market, entries).unwrap_err().to_string();
    let mut nameless = bought("10");
    nameless.asset = None;
    assert_eq!(
        fails(vec![nameless]),
        "transaction 1: a row of type buy needs a symbol"
    );
    let free = row(1, Kind::Sell, date(2010, 5, 3), Some("1"), None);
    assert_eq!(
        fails(vec![free]),
        "transaction 1: a row of type sell needs an amount"
    );
    let capital = row(1, Kind::ReturnOfCapital, date(2010, 5, 3), None, Some("5"));
    assert!(fails(vec![capital]).contains("not held"));
    let mut picked = row(2, Kind::Sell, date(2010, 5, 4), Some("5"), Some("600"));
    picked.lot_picks = vec![Pick {
        lot: 9,
        quantity: "5".parse().unwrap(),
    }];
    assert_eq!(
        fails(vec![bought("10"), picked.clone()]),
        "transaction 2: lot 9 is not open"
    );
    picked.lot_picks = vec![Pick {
        lot: 1,
        quantity: "4".parse().unwrap(),
    }];
    assert_eq!(
        fails(vec![bought("10"), picked]),
        "transaction 2: the chosen lots hold less than the quantity"
    );
    let out = row(2, Kind::TransferOut, date(2010, 5, 4), Some("11"), None);
    assert_eq!(
        fails(vec![bought("10"), out]),
        "transaction 2 sells 11 ZZ, 10 held"
    );
    let huge = row(1, Kind::Deposit, date(2010, 5, 4), None, None);
    assert!(fails(vec![huge]).contains("needs an amount"));
}

#[test]
fn amounts_beyond_the_range_are_an_error_not_a_panic() {
    let market = market();
    let mut vast = row(
        1,
        Kind::Buy,
        date(2010, 5, 3),
        Some("99999999999999999"),
        None,
    );
    vast.price = Some("99999999999999999".parse().unwrap());
    assert!(matches!(
        run(&market, vec![vast]),
        Err(LedgerError::OutOfRange(_))
    ));
}
