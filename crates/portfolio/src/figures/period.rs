//! The figures of one period.

use std::collections::BTreeMap;

use compact_str::CompactString;
use jiff::civil::Date;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::allocation::Weights;
use crate::dates::days_between;
use crate::decimal::Decimal;
use crate::dietz::modified_dietz;
use crate::index::Index;
use crate::ledger::{Flow, Totals};
use crate::metrics::{self, Benchmark, Endings, ReturnSeries, RollingPoint, Settings, Stats};
use crate::returns::{CASH, Part, Returns};
use crate::series::{Series, Walked};
use crate::xirr::{Xirr, xirr};

/// What is made of returns besides figures of the period as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Breakdown {
    /// Nothing.
    None,
    /// Contributions of assets.
    Assets,
    /// Contributions of assets, months and years.
    #[default]
    Everything,
}

/// How to make figures of returns.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReturnSettings<'a> {
    /// Annualising and thresholds.
    pub metrics: Settings,
    /// The benchmark.
    pub benchmark: Option<&'a Index>,
    /// Lengths of rolling windows, in days of the grid.
    pub rolling: &'a [usize],
    /// How far they are broken down.
    pub breakdown: Breakdown,
}

/// Why there is no time-weighted return.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TwrReason {
    /// `non_positive_equity`.
    pub code: String,
    /// The first day of it.
    pub date: Date,
}

/// Sums over the period, in base currency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeriodTotals {
    /// Dividends before tax.
    pub dividends: Decimal,
    /// Interest before tax.
    pub interest: Decimal,
    /// Fees outside trades.
    pub fees: Decimal,
    /// Taxes outside trades.
    pub taxes: Decimal,
}

/// Rolling figures at the last day of every year; the whole curve is made on demand by [`metrics::rolling`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollingSummary {
    /// How many points the whole curve has.
    pub count: usize,
    /// The points of the years' last days.
    pub year_ends: Vec<RollingPoint>,
}

/// All figures of one period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeriodFigures {
    /// The opening day, exclusive.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// Days with a return.
    pub grid_points: usize,
    /// Net asset value on the opening day.
    pub nav_start: Decimal,
    /// Net asset value on the last day.
    pub nav_end: Decimal,
    /// Money that came in.
    pub inflows: Decimal,
    /// Money that went out.
    pub outflows: Decimal,
    /// Dividends, interest, fees and taxes.
    pub totals: PeriodTotals,
    /// Realised gains.
    pub realised_gain_base: Decimal,
    /// The time-weighted return.
    pub twr: Option<f64>,
    /// Why there is none.
    pub twr_reason: Option<TwrReason>,
    /// The money-weighted return.
    pub mwr: Xirr,
    /// The modified Dietz return.
    pub modified_dietz: Option<f64>,
    /// Figures of the daily returns; `None` without a time-weighted return.
    pub stats: Option<Stats>,
    /// What each symbol, and `CASH`, added to the time-weighted return.
    pub contribution: Option<Weights>,
    /// Returns by month.
    pub monthly: LiteMap<CompactString, f64>,
    /// Returns by year.
    pub yearly: LiteMap<CompactString, f64>,
    /// Rolling figures by length of the window.
    pub rolling: BTreeMap<usize, RollingSummary>,
}

/// The daily returns of a period, and those of the benchmark over the same days.
struct Daily<'d> {
    base: Date,
    returns: &'d Returns<'d>,
    benchmark: Option<Benchmark<'d>>,
}

impl Daily<'_> {
    /// What those have in common that are unbroken.
    fn endings<'d>(all: &'d [Daily<'d>], settings: Settings) -> Option<Endings<'d>> {
        let unbroken = all
            .iter()
            .filter_map(|daily| Some((daily, daily.series()?)));
        let (daily, longest) = unbroken.max_by_key(|(_, series)| series.returns.len())?;
        Some(Endings::of(longest, settings, daily.benchmark.as_ref()))
    }

    /// The returns, when every day has one and equity stayed positive.
    fn series(&self) -> Option<ReturnSeries<'_>> {
        let returns = self.returns.unbroken()?;
        Some(ReturnSeries {
            base: self.base,
            dates: &self.returns.dates,
            returns,
        })
    }
}

impl PeriodFigures {
    /// The figures of one period of a ledger.
    pub fn of(
        walk: &Walked<'_>,
        window: &impl Series,
        settings: ReturnSettings<'_>,
    ) -> PeriodFigures {
        let mut figures = PeriodFigures::of_all(walk, &[(window, settings.breakdown)], settings);
        figures.pop().expect("there are figures for each period")
    }

    /// The figures of some periods, each with how far its returns are broken down. They end on the same day, so that much is
    /// computed once for all of them.
    pub fn of_all<S: Series>(
        walk: &Walked<'_>,
        periods: &[(&S, Breakdown)],
        settings: ReturnSettings<'_>,
    ) -> Vec<PeriodFigures> {
        let returns: Vec<Returns<'_>> =
            periods.iter().map(|(window, _)| window.returns()).collect();
        let daily = periods.iter().zip(&returns).map(|((window, _), returns)| {
            let base = window.from();
            let benchmark = |index: &Index| index.returns(base, &returns.dates);
            Daily {
                base,
                returns,
                benchmark: settings.benchmark.map(benchmark),
            }
        });
        let daily: Vec<Daily<'_>> = daily.collect();
        let endings = Daily::endings(&daily, settings.metrics);
        let each = periods.iter().zip(&daily);
        each.map(|((window, breakdown), daily)| {
            let mut figures = PeriodFigures::exact(walk, *window, daily.returns);
            let settings = ReturnSettings {
                breakdown: *breakdown,
                ..settings
            };
            if let Some((endings, series)) = endings.as_ref().zip(daily.series()) {
                let benchmark = daily.benchmark.as_ref();
                figures.stats = Some(endings.stats(series, benchmark));
                figures.time_weighted(walk, *window, series, settings, benchmark);
            }
            figures
        })
        .collect()
    }

    /// Those that are not made of daily returns.
    fn exact(walk: &Walked<'_>, window: &impl Series, returns: &Returns<'_>) -> PeriodFigures {
        let mark = window.mark();
        let flows = &walk.ledger.flows()[mark.flows..];
        let to = walk.closing.date;
        PeriodFigures {
            from: window.from(),
            to,
            grid_points: returns.dates.len(),
            nav_start: window.opening(),
            nav_end: walk.closing.nav,
            inflows: flows.iter().map(|flow| flow.inflow).sum(),
            outflows: flows.iter().map(|flow| flow.outflow).sum(),
            totals: PeriodTotals::between(mark.totals, walk.ledger.totals()),
            realised_gain_base: walk.ledger.realised()[mark.realised..]
                .iter()
                .map(|gain| gain.gain_base)
                .sum(),
            twr: None,
            twr_reason: returns.broken.map(|date| TwrReason {
                code: "non_positive_equity".to_owned(),
                date,
            }),
            mwr: money_weighted(window, flows, walk.closing.nav, to),
            modified_dietz: dietz(window, flows, walk.closing.nav, to),
            stats: None,
            contribution: None,
            monthly: LiteMap::new(),
            yearly: LiteMap::new(),
            rolling: BTreeMap::new(),
        }
    }

    fn time_weighted(
        &mut self,
        walk: &Walked<'_>,
        window: &impl Series,
        series: ReturnSeries<'_>,
        settings: ReturnSettings<'_>,
        benchmark: Option<&Benchmark<'_>>,
    ) {
        let total = self.stats.as_ref().and_then(|stats| stats.total_return);
        self.twr = total.or_else(|| Some(metrics::compound(series.returns)));
        if settings.breakdown != Breakdown::None {
            let parts = window.contributions(series.returns);
            self.contribution = parts.map(|parts| named(walk, parts));
        }
        if settings.breakdown == Breakdown::Everything {
            self.monthly = metrics::monthly(series);
            self.yearly = metrics::yearly(series);
        }
        let rolling = settings.rolling.iter();
        self.rolling = rolling
            .map(|length| {
                (
                    *length,
                    rolling_summary(series, *length, settings, benchmark),
                )
            })
            .collect();
    }
}

impl PeriodTotals {
    fn between(start: Totals, end: Totals) -> PeriodTotals {
        PeriodTotals {
            dividends: end.dividends - start.dividends,
            interest: end.interest - start.interest,
            fees: end.fees - start.fees,
            taxes: end.taxes - start.taxes,
        }
    }
}

fn money_weighted(window: &impl Series, flows: &[Flow], closing: Decimal, to: Date) -> Xirr {
    let mut cash: Vec<(Date, f64)> = Vec::with_capacity(flows.len() + 2);
    if !window.opening().is_zero() {
        cash.push((window.from(), -window.opening().to_f64()));
    }
    cash.extend(
        flows
            .iter()
            .map(|flow| (flow.date, (flow.outflow - flow.inflow).to_f64())),
    );
    if !closing.is_zero() {
        cash.push((to, closing.to_f64()));
    }
    xirr(&cash).over(days_between(window.from(), to))
}

fn dietz(window: &impl Series, flows: &[Flow], closing: Decimal, to: Date) -> Option<f64> {
    let signed: Vec<(Date, f64)> = flows
        .iter()
        .map(|flow| (flow.date, (flow.inflow - flow.outflow).to_f64()))
        .collect();
    modified_dietz(
        window.opening().to_f64(),
        closing.to_f64(),
        &signed,
        window.from(),
        to,
    )
}

fn named(walk: &Walked<'_>, parts: LiteMap<Part, f64>) -> Weights {
    let name = |part| match part {
        Part::Asset(asset) => walk.ledger.market().symbol(asset),
        Part::Cash => CompactString::const_new(CASH),
    };
    parts
        .into_iter()
        .map(|(part, value)| (name(part), value))
        .collect()
}

fn rolling_summary(
    series: ReturnSeries<'_>,
    length: usize,
    settings: ReturnSettings<'_>,
    benchmark: Option<&Benchmark<'_>>,
) -> RollingSummary {
    let years = series.dates.chunk_by(|a, b| a.year() == b.year());
    let ends = years.scan(0, |days, year| {
        *days += year.len();
        Some(*days - 1)
    });
    let points = ends
        .filter_map(|end| metrics::rolling_point(series, end, length, settings.metrics, benchmark));
    RollingSummary {
        count: (series.returns.len() + 1).saturating_sub(length),
        year_ends: points.collect(),
    }
}
