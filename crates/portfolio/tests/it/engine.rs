//! The engine's figures are those of the exact walk.

use calendar::Calendar;
use jiff::civil::Date;
use portfolio::decimal::Decimal;
use portfolio::engine::{Columns, Outline, value};
use portfolio::figures::{Closing, PeriodFigures, ReturnSettings, inconsistencies};
use portfolio::ledger::{AccountId, Entry, IncomeMode, Kind, LotMethod, Rules};
use portfolio::market::{AssetIx, Market};
use portfolio::series::{Series, Walk, WalkRequest, Walked};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::generated::{DAYS, Move, day, entries, market, method, moves};

/// Of a return of a day, or of a contribution.
const SLACK: f64 = 1e-12;
/// A session, a Saturday, and a day before the ledger begins.
const STARTS: [i64; 3] = [17, 19, -40];

/// A ledger that begins with enough money for floats to do.
fn funded(moves: &[Move], market: &Market, two_currencies: bool) -> Vec<Entry> {
    let mut rows = entries(moves, market, two_currencies);
    let mut deposit = Entry::new(1_000, AccountId(1), Kind::Deposit, day(0));
    deposit.amount = Some(Decimal::from_int(10_000_000));
    deposit.currency = Some(market.asset(AssetIx(0)).currency);
    rows.push(deposit);
    rows
}

/// Everything that a period is made of besides its returns: exact, and equal.
fn exact_part(end: &Walked<'_>, series: &impl Series) -> Value {
    let figures = PeriodFigures::of(end, series, ReturnSettings::default());
    json!(PeriodFigures {
        twr: None,
        stats: None,
        contribution: None,
        monthly: Default::default(),
        yearly: Default::default(),
        ..figures
    })
}

/// Returns and contributions; all other figures are made of these.
fn floats(series: &impl Series) -> Vec<(String, f64)> {
    let returns = series.returns();
    let values = returns.unbroken().expect("equity stays positive");
    let parts = series
        .contributions(values)
        .expect("nothing is lost wholly");
    let days = returns
        .dates
        .iter()
        .map(Date::to_string)
        .zip(values.iter().copied());
    days.chain(
        parts
            .into_iter()
            .map(|(part, value)| (format!("{part:?}"), value)),
    )
    .collect()
}

fn compare(found: &[(String, f64)], wanted: &[(String, f64)]) -> Result<(), TestCaseError> {
    let names = |floats: &[(String, f64)]| {
        floats
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    prop_assert_eq!(names(found), names(wanted));
    for ((name, found), (_, wanted)) in found.iter().zip(wanted) {
        prop_assert!(
            (found - wanted).abs() <= SLACK,
            "{name}: {found} is not {wanted}"
        );
    }
    Ok(())
}

fn check(
    moves: &[Move],
    steps: &[i64],
    method: LotMethod,
    two_currencies: bool,
) -> Result<(), TestCaseError> {
    let market = market(steps);
    let base = if two_currencies { "EUR" } else { "USD" }.parse().unwrap();
    let calendar = Calendar::named("XNYS").unwrap();
    let to = day(DAYS);
    let request = || WalkRequest {
        market: &market,
        rules: Rules {
            base,
            method,
            income: IncomeMode::Auto,
            short_accounts: Default::default(),
        },
        entries: funded(moves, &market, two_currencies).into(),
        calendar: &calendar,
        starts: STARTS.map(day).to_vec(),
        to,
    };
    let columns = Columns::build(&market, &calendar, to, base);
    let (exact, outline) = match (Walk::run(request()), Outline::of(request())) {
        (Ok(Some(exact)), Ok(Some(outline))) => (exact, outline),
        (Err(exact), Err(outline)) => {
            prop_assert_eq!(exact.to_string(), outline.to_string());
            return Ok(());
        }
        other => {
            return Err(TestCaseError::fail(format!(
                "one of both ended early: {other:?}"
            )));
        }
    };
    let valued = value(&columns, vec![outline]).next().unwrap();
    prop_assert!(valued.is_sound(), "ten million of equity are enough");
    let end = &valued.outline.end;
    let mut figures = Vec::new();
    for start in STARTS.map(day) {
        let (wanted, found) = (exact.window(start), valued.span(start));
        prop_assert_eq!(exact_part(end, &found), exact_part(&exact, &wanted));
        compare(&floats(&found), &floats(&wanted))?;
        figures.push(PeriodFigures::of(end, &found, ReturnSettings::default()));
    }
    let closing = Closing::of(end).unwrap();
    prop_assert_eq!(json!(Closing::of(&exact).unwrap()), json!(closing));
    let figures: Vec<&PeriodFigures> = figures.iter().collect();
    prop_assert_eq!(inconsistencies(end, &closing, &figures).unwrap(), vec![]);
    Ok(())
}

proptest! {
    #[test]
    fn one_currency_gives_the_exact_figures(moves in moves(), steps in prop::collection::vec(-200_i64..220, 30), method in method()) {
        check(&moves, &steps, method, false)?;
    }

    #[test]
    fn two_currencies_give_the_exact_figures(moves in moves(), steps in prop::collection::vec(-200_i64..220, 30), method in method()) {
        check(&moves, &steps, method, true)?;
    }
}
