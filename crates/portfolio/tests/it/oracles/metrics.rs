//! Return series to figures.

use std::collections::BTreeMap;

use jiff::civil::Date;
use portfolio::carried::Carried;
use portfolio::decimal::Decimal;
use portfolio::metrics::{Benchmark, ReturnSeries, Settings, monthly, rolling, stats, yearly};
use serde_json::{Value, json};

use super::market::closes;

/// An owned return series.
struct Series {
    base: Date,
    dates: Vec<Date>,
    returns: Vec<f64>,
}

impl Series {
    fn borrow(&self) -> ReturnSeries<'_> {
        ReturnSeries {
            base: self.base,
            dates: &self.dates,
            returns: &self.returns,
        }
    }
}

/// Where a series of a case is kept: levels that it names, or returns that it lists.
pub(crate) struct Kept<'k> {
    pub(crate) levels: &'k dyn Fn(&Value) -> Carried<Decimal>,
    pub(crate) returns: &'k dyn Fn(&Value) -> Vec<f64>,
}

pub(crate) fn actual(input: &Value) -> Value {
    let kept = Kept {
        levels: &closes,
        returns: &listed,
    };
    actual_of(input, &kept)
}

/// The returns that a case lists.
pub(crate) fn listed(spec: &Value) -> Vec<f64> {
    let values = spec["returns"].as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap()).collect()
}

/// With series from wherever they are kept.
pub(crate) fn actual_of(input: &Value, kept: &Kept<'_>) -> Value {
    let series = series(&input["series"], kept);
    let benchmark = input.get("benchmark").map(|spec| {
        let series = self::series(spec, kept);
        series
            .dates
            .into_iter()
            .zip(series.returns)
            .collect::<Benchmark>()
    });
    let settings = Settings {
        periods_per_year: input["periods_per_year"].as_f64().unwrap_or(252.0),
        risk_free: input["risk_free"].as_f64().unwrap_or(0.0),
        minimum_return: input["mar"].as_f64(),
        confidence: input["confidence"].as_f64().unwrap_or(0.95),
    };
    let mut figures =
        serde_json::to_value(stats(series.borrow(), settings, benchmark.as_ref())).unwrap();
    if input["periods"] == true {
        figures["monthly"] = json!(monthly(series.borrow()));
        figures["yearly"] = json!(yearly(series.borrow()));
    }
    for window in input["rolling"].as_array().into_iter().flatten() {
        let points = rolling(
            series.borrow(),
            usize::try_from(window.as_u64().unwrap()).unwrap(),
            settings,
            benchmark.as_ref(),
        );
        figures["rolling"][window.to_string()] = samples(&json!(points));
    }
    figures
}

/// The first, the last and every tenth point.
fn samples(points: &Value) -> Value {
    let points = points.as_array().unwrap();
    let count = points.len();
    let mut picked: Vec<usize> = (0..10)
        .map(|tenth| tenth * count / 10)
        .chain([count.saturating_sub(1)])
        .collect();
    picked.sort_unstable();
    picked.dedup();
    let samples: Vec<&Value> = picked
        .into_iter()
        .filter_map(|index| points.get(index))
        .collect();
    json!({ "count": count, "samples": samples })
}

fn series(spec: &Value, kept: &Kept<'_>) -> Series {
    if spec.get("returns").is_none() {
        return from_levels(spec, &(kept.levels)(spec));
    }
    Series {
        base: date(&spec["base_date"]),
        dates: spec["dates"].as_array().unwrap().iter().map(date).collect(),
        returns: (kept.returns)(spec),
    }
}

fn from_levels(spec: &Value, levels: &Carried<Decimal>) -> Series {
    let range = date(&spec["from"])..=date(&spec["to"]);
    let mut points: Vec<(Date, f64)> = levels
        .iter()
        .filter(|(day, _)| range.contains(day))
        .map(|(day, level)| (day, level.to_f64()))
        .collect();
    if spec["month_end"] == true {
        let last: BTreeMap<(i16, i8), (Date, f64)> = points
            .into_iter()
            .map(|point| ((point.0.year(), point.0.month()), point))
            .collect();
        points = last.into_values().collect();
    }
    let returns = points
        .windows(2)
        .map(|pair| pair[1].1 / pair[0].1 - 1.0)
        .collect();
    Series {
        base: points[0].0,
        dates: points[1..].iter().map(|point| point.0).collect(),
        returns,
    }
}

fn date(value: &Value) -> Date {
    value.as_str().unwrap().parse().unwrap()
}
