//! The headline figures of periods as a table: a row of values for each period under one list of names. What is broken down by
//! asset or by time is not among them.

use std::borrow::Cow;

use jiff::civil::Date;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

use super::super::period::Period;
use super::Headline;
use crate::decimal::Decimal;
use crate::figures::PeriodFigures;
use crate::metrics::{DatedReturn, Drawdown, Relative, Stats, Underwater};

/// One figure; in the binary form with its kind.
#[derive(Debug, Serialize, Deserialize)]
enum Cell<'f> {
    Absent,
    Count(usize),
    Days(i64),
    Flag(bool),
    Ratio(f64),
    Ratios(Cow<'f, [f64]>),
    Money(Decimal),
    Day(#[serde(with = "crate::packed::day")] Date),
    #[serde(borrow)]
    Word(Cow<'f, str>),
    Status(crate::xirr::XirrStatus),
}

/// A figure as JSON has it: bare.
struct Bare<'c>(&'c Cell<'c>);

impl Serialize for Bare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Absent => serializer.serialize_none(),
            Cell::Count(count) => count.serialize(serializer),
            Cell::Days(days) => serializer.serialize_i64(*days),
            Cell::Flag(flag) => serializer.serialize_bool(*flag),
            Cell::Ratio(ratio) => serializer.serialize_f64(*ratio),
            Cell::Ratios(ratios) => ratios.serialize(serializer),
            Cell::Money(money) => money.serialize(serializer),
            Cell::Day(day) => day.serialize(serializer),
            Cell::Word(word) => serializer.serialize_str(word),
            Cell::Status(status) => status.serialize(serializer),
        }
    }
}

macro_rules! cells {
    ($($of:ty => $cell:ident),+) => {$(
        impl<'f> From<$of> for Cell<'f> {
            fn from(value: $of) -> Cell<'f> {
                Cell::$cell(value)
            }
        }
    )+};
}

cells!(usize => Count, i64 => Days, bool => Flag, f64 => Ratio, Decimal => Money, Date => Day);

impl<'f> From<&'f [f64]> for Cell<'f> {
    fn from(ratios: &'f [f64]) -> Cell<'f> {
        Cell::Ratios(Cow::Borrowed(ratios))
    }
}

impl<'f> From<&'f str> for Cell<'f> {
    fn from(word: &'f str) -> Cell<'f> {
        Cell::Word(Cow::Borrowed(word))
    }
}

impl<'f, T: Into<Cell<'f>>> From<Option<T>> for Cell<'f> {
    fn from(value: Option<T>) -> Cell<'f> {
        value.map_or(Cell::Absent, Into::into)
    }
}

/// A column: its name and what is in it.
type Column = (&'static str, fn(&PeriodFigures) -> Cell<'_>);

/// Columns of money, returns, statistics, falls, days and comparisons, each with the path to its value.
macro_rules! columns {
    (
        $(of figures: $($plain:literal => $of:expr),+;)?
        $(of stats: $($stat:literal => $field:ident),+;)?
        $(of fall: $($fall:literal => $fall_field:ident),+;)?
        $(of underwater: $($time:literal => $time_field:ident),+;)?
        $(of benchmark: $($relative:literal => $relative_field:ident),+;)?
    ) => {
        &[
            $($(($plain, $of),)+)?
            $($(($stat, |figures| stats(figures).map(|stats| stats.$field).into()),)+)?
            $($(($fall, |figures| fall(figures).map(|fall| fall.$fall_field).into()),)+)?
            $($(($time, |figures| underwater(figures).map(|time| time.$time_field).into()),)+)?
            $($(($relative, |figures| relative(figures).map(|relative| relative.$relative_field).into()),)+)?
        ]
    };
}

/// The columns after the period's name. [`FiguresRow::headline`] knows the first five by their places; whoever changes what is
/// in the columns changes the form of what is packed.
const COLUMNS: &[Column] = columns! {
    of figures:
        "nav_end" => |figures| figures.nav_end.into(),
        "twr" => |figures| figures.twr.into(),
        "mwr.rate" => |figures| figures.mwr.rate.into(),
        "volatility" => |figures| stats(figures).and_then(|stats| stats.volatility).into(),
        "max_drawdown.depth" => |figures| fall(figures).map(|fall| fall.depth).into(),
        "from" => |figures| figures.from.into(),
        "to" => |figures| figures.to.into(),
        "grid_points" => |figures| figures.grid_points.into(),
        "nav_start" => |figures| figures.nav_start.into(),
        "inflows" => |figures| figures.inflows.into(),
        "outflows" => |figures| figures.outflows.into(),
        "totals.dividends" => |figures| figures.totals.dividends.into(),
        "totals.interest" => |figures| figures.totals.interest.into(),
        "totals.fees" => |figures| figures.totals.fees.into(),
        "totals.taxes" => |figures| figures.totals.taxes.into(),
        "realised_gain_base" => |figures| figures.realised_gain_base.into(),
        "twr_reason.code" => |figures| reason(figures).map(|reason| reason.code.as_str()).into(),
        "twr_reason.date" => |figures| reason(figures).map(|reason| reason.date).into(),
        "mwr.status" => |figures| Cell::Status(figures.mwr.status),
        "mwr.roots" => |figures| figures.mwr.roots.as_slice().into(),
        "mwr.period" => |figures| figures.mwr.period.into(),
        "modified_dietz" => |figures| figures.modified_dietz.into(),
        "best.date" => |figures| best(figures).map(|best| best.date).into(),
        "best.value" => |figures| best(figures).map(|best| best.value).into(),
        "worst.date" => |figures| worst(figures).map(|worst| worst.date).into(),
        "worst.value" => |figures| worst(figures).map(|worst| worst.value).into();
    of stats:
        "n_returns" => n_returns,
        "days" => days,
        "short_period" => short_period,
        "cagr" => cagr,
        "downside_deviation" => downside_deviation,
        "sharpe" => sharpe,
        "sortino" => sortino,
        "calmar" => calmar,
        "ulcer_index" => ulcer_index,
        "var" => var,
        "cvar" => cvar,
        "tail_ratio" => tail_ratio,
        "skewness" => skewness,
        "kurtosis" => kurtosis,
        "positive_ratio" => positive_ratio,
        "omega" => omega;
    of fall:
        "max_drawdown.peak" => peak,
        "max_drawdown.trough" => trough,
        "max_drawdown.recovery" => recovery,
        "max_drawdown.ongoing" => ongoing,
        "max_drawdown.duration_days" => duration_days,
        "max_drawdown.decline_days" => decline_days;
    of underwater:
        "longest_underwater.days" => days,
        "longest_underwater.start" => start,
        "longest_underwater.end" => end,
        "longest_underwater.ongoing" => ongoing;
    of benchmark:
        "benchmark.n" => n,
        "benchmark.beta" => beta,
        "benchmark.alpha" => alpha,
        "benchmark.correlation" => correlation,
        "benchmark.r_squared" => r_squared,
        "benchmark.tracking_error" => tracking_error,
        "benchmark.information_ratio" => information_ratio,
        "benchmark.up_capture" => up_capture,
        "benchmark.down_capture" => down_capture,
        "benchmark.total_return" => benchmark_total_return;
};

fn reason(figures: &PeriodFigures) -> Option<&crate::figures::TwrReason> {
    figures.twr_reason.as_ref()
}

fn stats(figures: &PeriodFigures) -> Option<&Stats> {
    figures.stats.as_ref()
}

fn fall(figures: &PeriodFigures) -> Option<&Drawdown> {
    stats(figures)?.max_drawdown.as_ref()
}

fn underwater(figures: &PeriodFigures) -> Option<&Underwater> {
    stats(figures)?.longest_underwater.as_ref()
}

fn relative(figures: &PeriodFigures) -> Option<&Relative> {
    stats(figures)?.benchmark.as_ref()
}

fn best(figures: &PeriodFigures) -> Option<&DatedReturn> {
    stats(figures)?.best.as_ref()
}

fn worst(figures: &PeriodFigures) -> Option<&DatedReturn> {
    stats(figures)?.worst.as_ref()
}

/// The names of the columns, that of the period's name first.
#[derive(Debug)]
pub(super) struct Names;

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut names = serializer.serialize_seq(Some(COLUMNS.len() + 1))?;
        names.serialize_element("period")?;
        for (name, _) in COLUMNS {
            names.serialize_element(name)?;
        }
        names.end()
    }
}

/// The row of a period; only its name where nothing has happened.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FiguresRow<'f> {
    #[serde(borrow)]
    period: Cow<'f, str>,
    #[serde(borrow)]
    cells: Vec<Cell<'f>>,
}

impl<'f> FiguresRow<'f> {
    pub(super) fn of(period: Period, figures: Option<&'f PeriodFigures>) -> FiguresRow<'f> {
        let cells = figures.map(|figures| COLUMNS.iter().map(|(_, of)| of(figures)).collect());
        FiguresRow {
            period: Cow::Borrowed(period.as_str()),
            cells: cells.unwrap_or_default(),
        }
    }

    /// True without figures.
    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Its first columns.
    pub(super) fn headline(&self) -> Headline {
        let ratio = |place: usize| match self.cells.get(place) {
            Some(Cell::Ratio(ratio)) => ratio.is_finite().then_some(*ratio),
            _ => None,
        };
        Headline {
            period: self.period.clone().into_owned(),
            nav: match self.cells.first() {
                Some(Cell::Money(nav)) => Some(*nav),
                _ => None,
            },
            twr: ratio(1),
            xirr: ratio(2),
            volatility: ratio(3),
            max_drawdown: ratio(4),
        }
    }
}

/// A row as JSON has it: a list of its name and its figures.
#[derive(Debug)]
pub(super) struct ShownRow<'r>(pub(super) &'r FiguresRow<'r>);

impl Serialize for ShownRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let FiguresRow { period, cells } = self.0;
        let mut row = serializer.serialize_seq(Some(cells.len() + 1))?;
        row.serialize_element(period)?;
        for cell in cells {
            row.serialize_element(&Bare(cell))?;
        }
        row.end()
    }
}
