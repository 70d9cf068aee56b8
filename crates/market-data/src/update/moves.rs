//! Closes that move so far that a split, or a mistake, may be behind it. They are stored all the same.

use jiff::civil::Date;
use portfolio::decimal::{Decimal, RATE};
use portfolio::market::ActionKind;

use super::report::Issue;
use crate::model::Daily;

/// A move is suspicious from this share of the close before on.
const SUSPICIOUS: &str = "0.4";

/// The days on which an asset's close moves too far from the one before without an action that is known.
pub(super) fn suspicious(symbol: &str, before: Option<Decimal>, daily: &Daily) -> Vec<Issue> {
    let most: Decimal = SUSPICIOUS.parse().expect("a plain decimal");
    let mut last = before;
    let mut found = Vec::new();
    for bar in &daily.bars {
        let expected = last.map(|last| as_of(last, bar.date, daily));
        let moved = expected.and_then(|expected| (bar.close - expected).div(expected, RATE).ok());
        if moved.is_some_and(|moved| moved.abs() > most) && !pays(bar.date, daily) {
            let last = last.unwrap_or_default();
            let told = format!(
                "{symbol} closed at {} on {} after {last}, and no split is known",
                bar.close, bar.date
            );
            found.push(Issue::odd(symbol, "suspicious_move", told));
        }
        last = Some(bar.close);
    }
    found
}

/// The close of the day before as it would be after the day's split.
fn as_of(close: Decimal, date: Date, daily: &Daily) -> Decimal {
    let mut actions = daily.actions.iter();
    let split = actions.find(|action| action.ex_date == date && action.kind == ActionKind::Split);
    let divided = split
        .filter(|_| !daily.adjusted)
        .map(|split| close.div(split.value, RATE));
    divided.and_then(Result::ok).unwrap_or(close)
}

/// A dividend explains a fall.
fn pays(date: Date, daily: &Daily) -> bool {
    let mut actions = daily.actions.iter();
    actions.any(|action| action.ex_date == date && action.kind == ActionKind::Dividend)
}

#[cfg(test)]
mod tests {
    use portfolio::market::Action;
    use portfolio::store::PriceRow;

    use super::*;

    fn daily(closes: &[(&str, &str)], split: Option<&str>) -> Daily {
        let bar = |(date, close): &(&str, &str)| PriceRow {
            date: date.parse().unwrap(),
            open: None,
            high: None,
            low: None,
            close: close.parse().unwrap(),
            volume: None,
        };
        let split = split.map(|date| Action {
            ex_date: date.parse().unwrap(),
            kind: ActionKind::Split,
            value: Decimal::from_int(2),
            currency: None,
        });
        Daily {
            bars: closes.iter().map(bar).collect(),
            actions: split.into_iter().collect(),
            ..Daily::default()
        }
    }

    #[test]
    fn a_known_split_explains_a_move() {
        let closes = [("2005-02-25", "88.99"), ("2005-02-28", "44.86")];
        assert_eq!(suspicious("AAPL", None, &daily(&closes, None)).len(), 1);
        assert!(suspicious("AAPL", None, &daily(&closes, Some("2005-02-28"))).is_empty());
        let before = Some("200".parse().unwrap());
        assert_eq!(
            suspicious("AAPL", before, &daily(&closes[..1], None)).len(),
            1
        );
    }
}
