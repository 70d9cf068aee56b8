//! Properties of any ledger: cash is the sum of its rows, lots add up to positions, the identity of values is exact.

use calendar::Calendar;
use portfolio::decimal::Decimal;
use portfolio::figures::{Closing, PeriodFigures, ReturnSettings, inconsistencies};
use portfolio::ledger::{IncomeMode, LotMethod, Rules};
use portfolio::series::{Walk, WalkRequest};
use proptest::prelude::*;

use super::generated::{DAYS, Move, day, entries, market, method, moves};

fn check(
    moves: &[Move],
    steps: &[i64],
    method: LotMethod,
    two_currencies: bool,
) -> Result<(), TestCaseError> {
    let market = market(steps);
    let entries = entries(moves, &market, two_currencies);
    let base = if two_currencies { "EUR" } else { "USD" }.parse().unwrap();
    let rules = Rules {
        base,
        method,
        income: IncomeMode::Ledger,
        short_accounts: Default::default(),
    };
    let calendar = Calendar::named("XNYS").unwrap();
    let request = WalkRequest {
        market: &market,
        rules,
        entries: entries.into(),
        calendar: &calendar,
        starts: vec![day(17)],
        to: day(DAYS),
    };
    let Some(walk) = Walk::run(request).map_err(|error| TestCaseError::fail(error.to_string()))?
    else {
        return Ok(());
    };
    let closing = Closing::of(&walk).unwrap();
    let windows = [walk.window(walk.inception), walk.window(day(17))];
    let periods =
        windows.map(|window| PeriodFigures::of(&walk, &window, ReturnSettings::default()));
    prop_assert_eq!(
        inconsistencies(&walk, &closing, &[&periods[0], &periods[1]]).unwrap(),
        vec![]
    );
    if !two_currencies {
        prop_assert_eq!(closing.cash_fx_gain_base, Decimal::ZERO);
    }
    let totals = walk.ledger.totals();
    let flows: Decimal = walk
        .ledger
        .flows()
        .iter()
        .map(|flow| flow.inflow - flow.outflow)
        .sum();
    let gains = closing.realised_gain_base + closing.unrealised_gain_base;
    let earned = totals.dividends + totals.interest - totals.fees - totals.taxes;
    let identity = flows + gains + earned + totals.transfer_gain + closing.cash_fx_gain_base;
    prop_assert_eq!(identity, closing.nav);
    for gain in walk.ledger.realised() {
        prop_assert_eq!(gain.price_gain_base + gain.fx_gain_base, gain.gain_base);
    }
    Ok(())
}

proptest! {
    #[test]
    fn one_currency_is_exact(moves in moves(), steps in prop::collection::vec(-200_i64..220, 30), method in method()) {
        check(&moves, &steps, method, false)?;
    }

    #[test]
    fn two_currencies_part_by_roundings_only(moves in moves(), steps in prop::collection::vec(-200_i64..220, 30), method in method()) {
        check(&moves, &steps, method, true)?;
    }
}
