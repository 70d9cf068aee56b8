//! The first figures of a period.

use serde::Deserialize;
use serde_json::Value;

use crate::decimal::Decimal;

/// The first figures of a period.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Headline {
    /// The period's name.
    pub(crate) period: String,
    /// Net asset value at its end.
    pub(crate) nav: Option<Decimal>,
    pub(crate) twr: Option<f64>,
    /// The annual money-weighted return.
    pub(crate) xirr: Option<f64>,
    pub(crate) volatility: Option<f64>,
    pub(crate) max_drawdown: Option<f64>,
}

/// Of a row that is JSON: the first figures of each of its lists.
pub(super) fn of_text(text: &str) -> Option<Vec<Headline>> {
    #[derive(Deserialize)]
    struct Rows {
        periods: Vec<Vec<Value>>,
    }
    let rows: Rows = serde_json::from_str(text).ok()?;
    rows.periods.iter().map(|row| of_row(row)).collect()
}

fn of_row(row: &[Value]) -> Option<Headline> {
    let ratio = |place: usize| row.get(place).and_then(Value::as_f64);
    Some(Headline {
        period: row.first()?.as_str()?.to_owned(),
        nav: match row.get(1).and_then(Value::as_str) {
            Some(nav) => Some(nav.parse().ok()?),
            None => None,
        },
        twr: ratio(2),
        xirr: ratio(3),
        volatility: ratio(4),
        max_drawdown: ratio(5),
    })
}

#[cfg(test)]
mod tests {
    use super::{Headline, of_text};

    #[test]
    fn rows_of_text_are_read_by_their_places() {
        let text = r#"{"periods": [["1m", "12.5", 0.5, null, 0.25, -0.125, 7], ["max"]]}"#;
        let none = Headline {
            period: "max".to_owned(),
            nav: None,
            twr: None,
            xirr: None,
            volatility: None,
            max_drawdown: None,
        };
        let month = Headline {
            period: "1m".to_owned(),
            nav: "12.5".parse().ok(),
            twr: Some(0.5),
            volatility: Some(0.25),
            max_drawdown: Some(-0.125),
            ..none.clone()
        };
        assert_eq!(of_text(text), Some(vec![month, none]));
        assert_eq!(of_text("{}"), None);
    }
}
