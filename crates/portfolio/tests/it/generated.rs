//! Generated ledgers: two assets in two currencies, a split, a dividend, rows of every kind.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use portfolio::carried::Carried;
use portfolio::decimal::Decimal;
use portfolio::fx::RateTable;
use portfolio::ledger::{AccountId, Entry, Kind, LotMethod};
use portfolio::market::{Action, ActionKind, Asset, AssetIx, Market};
use proptest::prelude::*;

pub(crate) const START: Date = date(2010, 1, 4);
pub(crate) const DAYS: i64 = 60;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn day(offset: i64) -> Date {
    START.saturating_add(offset.days())
}

/// Cents.
pub(crate) fn money(cents: i64) -> Decimal {
    Decimal::from_int(cents)
        .div(Decimal::from_int(100), 2)
        .unwrap()
}

/// One asset in each of two currencies, a split of 3:2 in one, prices that wander.
pub(crate) fn market(steps: &[i64]) -> Market {
    let closes = |start: i64| {
        let mut price = start;
        let levels = steps.iter().enumerate().map(|(index, step)| {
            price = (price + step).max(1);
            (day(i64::try_from(index).unwrap() * 2), money(price))
        });
        levels.collect::<Carried<Decimal>>()
    };
    let asset = |id, symbol: &str, currency: &str, start, actions| Asset {
        id,
        symbol: symbol.to_owned(),
        currency: currency.parse().unwrap(),
        class: "equity".to_owned(),
        sector: None,
        country: None,
        closes: closes(start),
        actions,
    };
    let split = Action {
        ex_date: day(20),
        kind: ActionKind::Split,
        value: decimal("1.5"),
        currency: None,
    };
    let dividend = Action {
        ex_date: day(31),
        kind: ActionKind::Dividend,
        value: decimal("0.37"),
        currency: None,
    };
    let rates = [("USD", "1.3127"), ("GBP", "0.8713")].map(|(code, rate)| {
        let later = decimal(rate).mul(decimal("1.0371"), 6).unwrap();
        (
            code.parse().unwrap(),
            Carried::new(vec![(START, decimal(rate)), (day(25), later)]),
        )
    });
    let assets = vec![
        asset(1, "AAA", "USD", 5_000, vec![split, dividend]),
        asset(2, "BBB", "GBP", 900, vec![]),
    ];
    Market::new(assets, RateTable::new(rates.into_iter().collect()))
}

/// What a generated row does; amounts in cents.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) kind: Kind,
    asset: usize,
    quantity: i64,
    amount: i64,
    fee: i64,
    wait: i64,
}

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let kinds = vec![
        Kind::Buy,
        Kind::Buy,
        Kind::Sell,
        Kind::Sell,
        Kind::Dividend,
        Kind::Interest,
        Kind::Fee,
        Kind::Tax,
        Kind::Deposit,
        Kind::Withdrawal,
        Kind::FxConversion,
        Kind::TransferIn,
        Kind::ReturnOfCapital,
        Kind::CashInLieu,
        Kind::TransferOut,
    ];
    let one = (
        prop::sample::select(kinds),
        0_usize..2,
        1_i64..50_000,
        1_i64..500_000,
        0_i64..900,
        0_i64..4,
    );
    let one = one.prop_map(|(kind, asset, quantity, amount, fee, wait)| Move {
        kind,
        asset,
        quantity,
        amount,
        fee,
        wait,
    });
    prop::collection::vec(one, 1..25)
}

/// Rows for the moves, leaving out what would oversell; quantities are thousandths.
pub(crate) fn entries(moves: &[Move], market: &Market, two_currencies: bool) -> Vec<Entry> {
    let mut held = [Decimal::ZERO; 2];
    let mut rows = Vec::new();
    let mut offset = 0;
    let mut split_done = false;
    for (index, step) in moves.iter().enumerate() {
        offset = (offset + step.wait).min(DAYS - 1);
        if offset >= 20 && !split_done {
            held[0] = held[0].mul(decimal("1.5"), 10).unwrap();
            split_done = true;
        }
        let asset = if two_currencies { step.asset } else { 0 };
        let quantity = Decimal::from_int(step.quantity)
            .div(Decimal::from_int(1000), 3)
            .unwrap();
        let mut row = Entry::new(
            i64::try_from(index).unwrap() + 1,
            AccountId(1),
            step.kind.clone(),
            day(offset),
        );
        row.amount = Some(money(step.amount));
        (row.fee, row.tax) = (money(step.fee), money(step.fee / 3));
        row.asset = Some(AssetIx(asset));
        row.currency = Some(market.asset(AssetIx(asset)).currency);
        match step.kind {
            Kind::Buy | Kind::TransferIn => {
                row.quantity = Some(quantity);
                held[asset] += quantity;
            }
            Kind::Sell | Kind::TransferOut | Kind::CashInLieu if held[asset].is_positive() => {
                let sold = quantity.min(held[asset]);
                row.quantity = Some(sold);
                held[asset] -= sold;
            }
            Kind::Sell | Kind::TransferOut | Kind::CashInLieu => continue,
            Kind::ReturnOfCapital | Kind::Dividend if !held[asset].is_positive() => continue,
            Kind::FxConversion if !two_currencies => continue,
            Kind::FxConversion => {
                row.to_currency = Some(market.asset(AssetIx(1 - asset)).currency);
                row.to_amount = Some(money(step.amount / 2 + 1));
            }
            Kind::ReturnOfCapital | Kind::Dividend => {}
            _ => row.asset = None,
        }
        rows.push(row);
    }
    rows
}

pub(crate) fn method() -> impl Strategy<Value = LotMethod> {
    prop::sample::select(vec![
        LotMethod::Fifo,
        LotMethod::Lifo,
        LotMethod::Hifo,
        LotMethod::Avg,
        LotMethod::Specific,
    ])
}
