//! The headline figures of periods as a table: a row of values for each period under one list of names. What is broken down by
//! asset or by time is not among them.

use jiff::civil::Date;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::super::period::Period;
use crate::decimal::Decimal;
use crate::figures::PeriodFigures;
use crate::metrics::{DatedReturn, Drawdown, Relative, Stats, Underwater};

/// One figure.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Cell<'f> {
    Absent,
    Count(usize),
    Days(i64),
    Flag(bool),
    Ratio(f64),
    Ratios(&'f [f64]),
    Money(Decimal),
    Day(Date),
    Word(&'f str),
    Status(crate::xirr::XirrStatus),
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

cells!(usize => Count, i64 => Days, bool => Flag, f64 => Ratio, &'f [f64] => Ratios, Decimal => Money, Date => Day, &'f str => Word);

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

/// The columns after the period's name. Overviews know the first five by their places.
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
#[derive(Debug)]
pub(super) struct FiguresRow<'f> {
    pub(super) period: Period,
    pub(super) figures: Option<&'f PeriodFigures>,
}

impl Serialize for FiguresRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(None)?;
        row.serialize_element(self.period.as_str())?;
        if let Some(figures) = self.figures {
            for (_, of) in COLUMNS {
                row.serialize_element(&of(figures))?;
            }
        }
        row.end()
    }
}
