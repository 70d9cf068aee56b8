//! The return over a moving window, day by day.

use portfolio::metrics::{ReturnSeries, Settings, rolling};
use portfolio::returns::Returns;

use crate::chart::{BLUE, PALE_BLUE, TimeChart, over_time};
use crate::document::Block;
use crate::subject::Subject;

use super::overview::WIDTH;

/// Lengths of windows in days of the calendar, the first that leaves a curve to see is taken: a year, a quarter.
const WINDOWS: [usize; 2] = [252, 63];
/// Points that a curve has at least.
const POINTS: usize = 20;

pub(super) fn blocks(subject: &Subject<'_>) -> Vec<Block> {
    chart(subject).into_iter().collect()
}

fn chart(subject: &Subject<'_>) -> Option<Block> {
    let returns = Returns::of(&subject.window);
    let values = returns.unbroken()?;
    let mut windows = WINDOWS.into_iter();
    let window = windows.find(|window| values.len() >= window + POINTS)?;
    let series = ReturnSeries {
        base: subject.window.from,
        dates: &returns.dates,
        returns: values,
    };
    let points = rolling(series, window, Settings::default(), None);
    let days: Vec<_> = points
        .iter()
        .map(|point| (point.date, point.total_return))
        .collect();
    let chart = TimeChart {
        width: WIDTH,
        height: 90.0,
        line: BLUE,
        ground: PALE_BLUE,
        from_zero: true,
        label: |value| format!("{:.0} %", value * 100.0),
    };
    Some(Block::Chart {
        caption: format!("Rolling return: over the last {window} days with a value, day by day"),
        drawing: over_time(&days, chart)?,
    })
}
