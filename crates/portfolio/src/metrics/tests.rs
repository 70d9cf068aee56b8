#![allow(clippy::unwrap_used)]

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::{
    Benchmark, Drawdown, Endings, ReturnSeries, Settings, Stats, Underwater, compound, monthly,
    rolling, stats, yearly,
};
use crate::dates::plus_days;

const BASE: Date = date(2020, 1, 1);

fn dates(count: usize) -> Vec<Date> {
    (1..=count)
        .map(|day| plus_days(BASE, i64::try_from(day).unwrap()))
        .collect()
}

fn of(returns: &[f64], settings: Settings) -> Stats {
    let dates = dates(returns.len());
    stats(
        ReturnSeries {
            base: BASE,
            dates: &dates,
            returns,
        },
        settings,
        None,
    )
}

/// The deepest fall by the definition, comparing every pair of days.
fn deepest_by_definition(returns: &[f64]) -> f64 {
    let mut wealth = vec![1.0];
    for value in returns {
        wealth.push(wealth.last().unwrap() * (1.0 + value));
    }
    let mut deepest = 0.0_f64;
    for (i, peak) in wealth.iter().enumerate() {
        for low in &wealth[i..] {
            deepest = deepest.min(low / peak - 1.0);
        }
    }
    deepest
}

/// Mostly small; sometimes nothing, and seldom all is lost.
fn some_return() -> impl Strategy<Value = f64> {
    prop_oneof![500 => -0.1_f64..0.1, 50 => Just(0.0), 1 => Just(-1.0)]
}

/// The deepest fall and the longest time below a peak by their definitions: day by day, each compared with all before it.
fn falls_by_definition(returns: &[f64]) -> (Drawdown, Underwater) {
    let mut wealth = vec![1.0];
    for value in returns {
        wealth.push(wealth.last().unwrap() * (1.0 + value));
    }
    let last = returns.len();
    let highest = |day: usize| wealth[..=day].iter().copied().fold(0.0, f64::max);
    let is_high = |day: &usize| wealth[*day] >= highest(*day) * (1.0 - 1e-12);
    let depth = |day: usize| wealth[day] / highest(day) - 1.0;
    let on = |day: usize| Some(plus_days(BASE, i64::try_from(day).unwrap()));
    let (mut deepest, mut longest) = (Drawdown::default(), Underwater::default());
    for day in (0..=last).filter(|day| !is_high(day)) {
        let peak = (0..day).rev().find(&is_high).unwrap();
        let recovery = (day..=last).find(&is_high);
        let end = recovery.unwrap_or(last);
        let days = |end: usize| i64::try_from(end - peak).unwrap();
        if days(end) > longest.days {
            longest = Underwater {
                days: days(end),
                start: on(peak),
                end: on(end),
                ongoing: recovery.is_none(),
            };
        }
        if depth(day) < deepest.depth - 1e-12 {
            deepest = Drawdown {
                depth: depth(day),
                peak: on(peak),
                trough: on(day),
                recovery: recovery.and_then(on),
                ongoing: recovery.is_none(),
                duration_days: days(end),
                decline_days: days(day),
            };
        }
    }
    (deepest, longest)
}

proptest! {
    #[test]
    fn figures_obey_their_definitions(returns in prop::collection::vec(-0.2_f64..0.2, 2..60)) {
        let figures = of(&returns, Settings::default());
        let drawdown = figures.max_drawdown.unwrap();
        prop_assert!((drawdown.depth - deepest_by_definition(&returns)).abs() < 1e-9);
        prop_assert!(figures.longest_underwater.unwrap().days >= drawdown.duration_days);
        prop_assert!(figures.cvar.unwrap() >= figures.var.unwrap() - 1e-12);
        prop_assert!(figures.best.unwrap().value >= figures.worst.unwrap().value);
        prop_assert!(figures.ulcer_index.unwrap() <= -drawdown.depth + 1e-12);
    }

    #[test]
    fn falls_are_those_of_the_definition(returns in prop::collection::vec(some_return(), 1..80)) {
        let figures = of(&returns, Settings::default());
        let (deepest, longest) = falls_by_definition(&returns);
        let found = figures.max_drawdown.unwrap();
        prop_assert!((found.depth - deepest.depth).abs() < 1e-12);
        prop_assert_eq!(found.clone(), Drawdown { depth: found.depth, ..deepest });
        prop_assert_eq!(figures.longest_underwater.unwrap(), longest);
    }

    #[test]
    fn volatility_scales_and_ignores_the_level(returns in prop::collection::vec(-0.1_f64..0.1, 2..40), factor in 0.1_f64..3.0) {
        let plain = of(&returns, Settings::default()).volatility.unwrap();
        let scaled: Vec<f64> = returns.iter().map(|value| value * factor + 0.01).collect();
        let other = of(&scaled, Settings::default()).volatility.unwrap();
        prop_assert!((other - plain * factor).abs() < 1e-9);
    }

    #[test]
    fn months_and_years_compound_to_the_total(returns in prop::collection::vec(-0.1_f64..0.1, 1..900)) {
        let dates = dates(returns.len());
        let series = ReturnSeries { base: BASE, dates: &dates, returns: &returns };
        let total = compound(&returns);
        for periods in [monthly(series), yearly(series)] {
            let joined: Vec<f64> = periods.values().copied().collect();
            prop_assert!((compound(&joined) - total).abs() < 1e-9 * (1.0 + total.abs()));
        }
    }

    #[test]
    fn a_series_has_beta_one_to_itself(returns in prop::collection::vec(-0.1_f64..0.1, 3..40)) {
        let dates = dates(returns.len());
        let benchmark: Benchmark = dates.iter().copied().zip(returns.iter().copied()).collect();
        let series = ReturnSeries { base: BASE, dates: &dates, returns: &returns };
        let figures = stats(series, Settings::default(), Some(&benchmark)).benchmark.unwrap();
        prop_assert!((figures.beta.unwrap() - 1.0).abs() < 1e-9);
        prop_assert!(figures.alpha.unwrap().abs() < 1e-9);
        prop_assert_eq!(figures.tracking_error, Some(0.0));
        prop_assert_eq!(figures.information_ratio, None);
    }

    #[test]
    fn rolling_windows_equal_the_figures_of_their_part(returns in prop::collection::vec(-0.1_f64..0.1, 5..40), window in 2_usize..5) {
        let dates = dates(returns.len());
        let points = rolling(ReturnSeries { base: BASE, dates: &dates, returns: &returns }, window, Settings::default(), None);
        prop_assert_eq!(points.len(), returns.len() - window + 1);
        let last = points.last().unwrap();
        let tail = of(&returns[returns.len() - window..], Settings::default());
        prop_assert_eq!(last.volatility, tail.volatility);
        prop_assert!((last.max_drawdown - tail.max_drawdown.unwrap().depth).abs() < 1e-12);
    }

    #[test]
    fn series_that_end_alike_have_the_figures_that_each_has_alone(returns in prop::collection::vec((some_return(), -0.1_f64..0.1), 2..300), first in some_return()) {
        let dates = dates(returns.len());
        let (own, other): (Vec<f64>, Vec<f64>) = returns.into_iter().unzip();
        let benchmark: Benchmark = dates.iter().copied().zip(other).collect();
        let longest = ReturnSeries { base: BASE, dates: &dates, returns: &own };
        let settings = Settings::default();
        let endings = Endings::of(longest, settings, Some(&benchmark));
        for start in [0, 1, own.len() / 2, own.len() - 1] {
            let mut returns = own[start..].to_vec();
            returns[0] = first;
            let series = ReturnSeries { base: BASE, dates: &dates[start..], returns: &returns };
            let alone = stats(series, settings, Some(&benchmark));
            prop_assert_eq!(endings.stats(series, Some(&benchmark)), alone);
        }
    }

    #[test]
    fn no_figure_is_not_a_number(returns in prop::collection::vec(prop_oneof![Just(0.0), Just(-1.0), -2.0_f64..2.0], 0..12)) {
        let text = serde_json::to_value(of(&returns, Settings::default())).unwrap();
        let figures = of(&returns, Settings::default());
        let numbers = [figures.total_return, figures.cagr, figures.volatility, figures.sharpe, figures.sortino, figures.calmar, figures.omega];
        prop_assert!(numbers.into_iter().flatten().all(f64::is_finite), "{}", text);
    }
}

#[test]
fn the_first_of_two_equal_falls_counts() {
    let figures = of(
        &[0.5, -0.25, 1.0 / 3.0, -0.25, 1.0 / 3.0],
        Settings::default(),
    );
    let drawdown = figures.max_drawdown.unwrap();
    assert_eq!(drawdown.trough, Some(date(2020, 1, 3)));
    assert_eq!(drawdown.recovery, Some(date(2020, 1, 4)));
}

#[test]
fn an_annual_figure_beyond_floats_is_undefined() {
    let figures = of(&[9.0], Settings::default());
    assert_eq!(figures.total_return, Some(9.0));
    assert_eq!((figures.cagr, figures.calmar), (None, None));
}

#[test]
fn a_benchmark_may_begin_after_the_series_and_have_gaps() {
    let (dates, own) = (dates(6), [0.01, -0.02, 0.03, 0.0, 0.02, -0.01]);
    let series = ReturnSeries {
        base: BASE,
        dates: &dates,
        returns: &own,
    };
    let (late, none) = (0.04, f64::NAN);
    for (returns, shared) in [
        ([none, none, late, late, late, late], &[2, 3, 4, 5][..]),
        ([none, late, none, late, late, none], &[1, 3, 4]),
        ([late; 6], &[0, 1, 2, 3, 4, 5]),
        ([none; 6], &[]),
    ] {
        let benchmark = Benchmark::of_days(&dates, returns.to_vec());
        let common = benchmark.common(series);
        let expected: Vec<f64> = shared.iter().map(|day| own[*day]).collect();
        assert_eq!(common.own(), expected);
        assert_eq!(common.other(), vec![late; shared.len()]);
    }
}
