//! Ledgers on real prices to values, returns and every figure of a period.

use std::collections::BTreeMap;

use calendar::Calendar;
use jiff::civil::Date;
use portfolio::figures::{Closing, PeriodFigures, ReturnSettings, inconsistencies};
use portfolio::index::Index;
use portfolio::ledger::LedgerError;
use portfolio::metrics::Settings;
use portfolio::returns::Returns;
use portfolio::series::{Day, Walk, WalkRequest, Window};
use serde_json::{Value, json};

use super::lots::realised;
use super::market::{Case, Names, closes, text};

/// Longer runs show month ends only, and long lists of gains are left out.
const SHORT_RUN: usize = 45;
const FEW_GAINS: usize = 40;

pub(crate) fn actual(input: &Value) -> Value {
    let case = Case::read(input);
    let calendar = Calendar::named(text(input, "calendar").unwrap_or("XNYS")).unwrap();
    let request = WalkRequest {
        market: &case.market,
        rules: case.rules.clone(),
        entries: case.entries.clone().into(),
        calendar: &calendar,
        starts: from(input).into_iter().collect(),
        to: text(input, "to").unwrap().parse().unwrap(),
    };
    let metrics = Settings {
        periods_per_year: input["periods_per_year"].as_f64().unwrap_or(252.0),
        risk_free: input["risk_free"].as_f64().unwrap_or(0.0),
        ..Settings::default()
    };
    let benchmark = input.get("benchmark").map(closes);
    let index = benchmark.map(|levels| Index::new(levels.map(|level| level.to_f64())));
    let settings = ReturnSettings {
        metrics,
        benchmark: index.as_ref(),
        rolling: &[],
        ..ReturnSettings::default()
    };
    shown(&case.names(), Walk::run(request), from(input), settings)
}

/// Where a case's range opens, if it says so.
pub(crate) fn from(input: &Value) -> Option<Date> {
    text(input, "from").map(|day| day.parse().unwrap())
}

/// A walk's figures, or why there are none.
pub(crate) fn shown(
    names: &Names,
    walk: Result<Option<Walk<'_>>, LedgerError>,
    from: Option<Date>,
    settings: ReturnSettings<'_>,
) -> Value {
    match walk {
        Err(stopped) => names.error(&stopped),
        Ok(None) => json!({ "status": "empty", "nav_end": "0", "warnings": [] }),
        Ok(Some(walk)) => {
            let window = walk.window(from.unwrap_or(walk.inception));
            figures(names, &walk, &window, settings)
        }
    }
}

fn figures(names: &Names, walk: &Walk<'_>, window: &Window, settings: ReturnSettings<'_>) -> Value {
    let period = PeriodFigures::of(walk, window, settings);
    let closing = Closing::of(walk).unwrap();
    assert_eq!(inconsistencies(walk, &closing, &[&period]).unwrap(), []);
    let mut shape = shape(names, walk, window, &period, &closing);
    if window.days.len() <= SHORT_RUN {
        shape["returns"] = returns(window);
    }
    shape
}

/// The figures with the oracle's field names.
fn shape(
    names: &Names,
    walk: &Walk<'_>,
    window: &Window,
    period: &PeriodFigures,
    closing: &Closing,
) -> Value {
    let mut shape = serde_json::to_value(period).unwrap();
    let fields = shape.as_object_mut().unwrap();
    for ours in ["monthly", "yearly", "rolling"] {
        fields.remove(ours);
    }
    if period.twr.is_none() {
        fields.remove("stats");
        fields.remove("contribution");
    }
    shape["status"] = json!("ok");
    shape["base"] = json!(closing.base);
    shape["nav"] = navs(window);
    shape["warnings"] = names.warnings(walk.ledger.warnings());
    shape["positions"] = json!(closing.positions);
    shape["cash"] = json!(closing.cash);
    shape["unrealised_gain_base"] = json!(closing.unrealised_gain_base);
    if window.opening.is_zero() {
        shape["cash_fx_gain_base"] = json!(closing.cash_fx_gain_base);
        shape["transfer_basis_adjustment_base"] = json!(closing.transfer_basis_adjustment_base);
    }
    shape["allocation"] = json!(closing.allocation);
    if let Some(allocation) = shape["allocation"].as_object_mut() {
        let accounts: f64 = allocation
            .remove("account")
            .unwrap()
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_f64)
            .sum();
        assert!(
            (accounts - 1.0).abs() < 1e-6,
            "accounts hold {accounts} of the value"
        );
    }
    let gains = &walk.ledger.realised()[window.mark.realised..];
    if gains.len() <= FEW_GAINS {
        shape["realised"] = realised(names, walk.ledger.market(), gains);
    }
    let items = &walk.ledger.income()[window.mark.income..];
    shape["dividends_by_year"] =
        json!(portfolio::income::Income::of(&walk.ledger, items, &walk.closing).by_year);
    shape
}

fn returns(window: &Window) -> Value {
    let returns = Returns::of(window);
    returns
        .dates
        .iter()
        .zip(returns.values.iter())
        .map(|(date, value)| json!([date, value]))
        .collect()
}

/// Every day of a short run; of a long one the first day, month ends and the last day.
fn navs(window: &Window) -> Value {
    let pair = |day: &Day| json!([day.date, day.nav]);
    if window.days.len() <= SHORT_RUN {
        return window.days.iter().map(pair).collect();
    }
    let mut picked: BTreeMap<_, &Day> = BTreeMap::new();
    let mut ends: BTreeMap<(i16, i8), &Day> = BTreeMap::new();
    for day in &window.days {
        ends.insert((day.date.year(), day.date.month()), day);
    }
    for day in window.days.first().into_iter().chain(ends.into_values()) {
        picked.insert(day.date, day);
    }
    picked.into_values().map(pair).collect()
}
