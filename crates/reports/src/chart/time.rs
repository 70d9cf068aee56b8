//! A value over time: a line on its ground, with axes.

use jiff::civil::Date;

use super::scale::{dates, ticks};
use super::{Anchor, Colour, Drawing, LABEL, Mark, Point, RULE};

/// Room for the value axis.
const LEFT: f32 = 48.0;
/// Room for the time axis.
const BOTTOM: f32 = 16.0;
const TOP: f32 = 6.0;
const RIGHT: f32 = 6.0;
/// Half the width of a year, and of a month with its year.
const HALF_YEAR: f32 = 9.0;
const HALF_MONTH: f32 = 18.0;
/// More days than this are drawn as the lowest and the highest of each part.
const MOST_POINTS: usize = 900;

/// What to draw and how.
#[derive(Clone, Copy, Debug)]
pub struct TimeChart {
    /// In points.
    pub width: f32,
    /// In points.
    pub height: f32,
    /// Of the line.
    pub line: Colour,
    /// Between the line and the axis.
    pub ground: Colour,
    /// Where the ground ends: true at zero, which is always in view then, false at the bottom.
    pub from_zero: bool,
    /// How axis values are written.
    pub label: fn(f64) -> String,
}

/// The chart; `None` with fewer than two days.
pub fn over_time(days: &[(Date, f64)], chart: TimeChart) -> Option<Drawing> {
    let ((first, _), (last, _)) = (days.first()?, days.last()?);
    if first == last {
        return None;
    }
    let values = || days.iter().map(|(_, value)| *value);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if chart.from_zero {
        (low.min(0.0), high.max(0.0))
    } else {
        (low, high)
    };
    let frame = Frame::new(chart, (*first, *last), ticks(low, high));
    let mut marks = frame.value_axis(chart.label);
    let points: Vec<Point> = thinned(days).iter().map(|day| frame.point(*day)).collect();
    marks.insert(0, frame.ground(&points, chart));
    marks.extend(frame.time_axis());
    marks.push(Mark::Line {
        points,
        colour: chart.line,
        width: 1.1,
    });
    Some(Drawing {
        width: chart.width,
        height: chart.height,
        marks,
    })
}

/// Days and values to positions.
struct Frame {
    width: f32,
    height: f32,
    first: Date,
    last: Date,
    ticks: Vec<f64>,
}

impl Frame {
    fn new(chart: TimeChart, (first, last): (Date, Date), ticks: Vec<f64>) -> Frame {
        Frame {
            width: chart.width - LEFT - RIGHT,
            height: chart.height - TOP - BOTTOM,
            first,
            last,
            ticks,
        }
    }

    fn x(&self, date: Date) -> f32 {
        let days = |end: Date| end.duration_since(self.first).as_secs_f32();
        LEFT + self.width * days(date) / days(self.last)
    }

    fn y(&self, value: f64) -> f32 {
        let (low, high) = (self.ticks[0], self.ticks[self.ticks.len() - 1]);
        TOP + self.height * ((high - value) / (high - low)) as f32
    }

    fn point(&self, (date, value): (Date, f64)) -> Point {
        (self.x(date), self.y(value))
    }

    fn ground(&self, line: &[Point], chart: TimeChart) -> Mark {
        let floor = if chart.from_zero {
            self.y(0.0)
        } else {
            TOP + self.height
        };
        let mut points = line.to_vec();
        points.push((line[line.len() - 1].0, floor));
        points.push((line[0].0, floor));
        Mark::Area {
            points,
            colour: chart.ground,
        }
    }

    fn value_axis(&self, label: fn(f64) -> String) -> Vec<Mark> {
        let lines = self.ticks.iter().flat_map(|tick| {
            let y = self.y(*tick);
            let text = Mark::Text {
                at: (LEFT - 6.0, y + 2.6),
                anchor: Anchor::End,
                face: LABEL,
                text: label(*tick),
            };
            [Mark::rule((LEFT, y), self.width, RULE), text]
        });
        lines.collect()
    }

    /// Below its tick, but inside the drawing.
    fn label(&self, x: f32, half: f32) -> (f32, Anchor) {
        let edge = LEFT + self.width + RIGHT;
        if x + half > edge {
            (edge, Anchor::End)
        } else {
            (x, Anchor::Middle)
        }
    }

    fn time_axis(&self) -> Vec<Mark> {
        let (days, years) = dates(self.first, self.last);
        let floor = TOP + self.height;
        let labels = days.into_iter().flat_map(|day| {
            let x = self.x(day);
            let tick = Mark::Line {
                points: vec![(x, floor), (x, floor + 3.0)],
                colour: RULE,
                width: 0.5,
            };
            let (format, half) = if years {
                ("%Y", HALF_YEAR)
            } else {
                ("%b %Y", HALF_MONTH)
            };
            let (x, anchor) = self.label(x, half);
            let text = Mark::Text {
                at: (x, floor + 12.0),
                anchor,
                face: LABEL,
                text: day.strftime(format).to_string(),
            };
            [tick, text]
        });
        labels.collect()
    }
}

/// The days, or of very many the lowest and the highest of each part, in order.
fn thinned(days: &[(Date, f64)]) -> Vec<(Date, f64)> {
    if days.len() <= MOST_POINTS {
        return days.to_vec();
    }
    let part = days.len().div_ceil(MOST_POINTS / 2);
    let mut kept: Vec<(Date, f64)> = days.chunks(part).flat_map(extremes).collect();
    kept.extend(days.last());
    kept.dedup();
    kept
}

fn extremes(part: &[(Date, f64)]) -> Vec<(Date, f64)> {
    let by_value = |a: &&(Date, f64), b: &&(Date, f64)| a.1.total_cmp(&b.1);
    let mut pair: Vec<(Date, f64)> = [part.iter().min_by(by_value), part.iter().max_by(by_value)]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    pair.sort_by_key(|(date, _)| *date);
    pair
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;
    use crate::chart::{BLUE, PALE_BLUE};

    fn chart() -> TimeChart {
        TimeChart {
            width: 400.0,
            height: 120.0,
            line: BLUE,
            ground: PALE_BLUE,
            from_zero: false,
            label: |value| format!("{value}"),
        }
    }

    fn run(days: usize) -> Vec<(Date, f64)> {
        let start = date(2010, 1, 4);
        (0..days)
            .map(|day| (start + (day as i64).days(), (day % 97) as f64))
            .collect()
    }

    #[test]
    fn every_mark_is_inside_the_drawing() {
        let drawing = over_time(&run(3000), chart()).unwrap();
        for mark in &drawing.marks {
            let (Mark::Line { points, .. } | Mark::Area { points, .. }) = mark else {
                continue;
            };
            for (x, y) in points {
                assert!((0.0..=drawing.width).contains(x) && (0.0..=drawing.height).contains(y));
            }
        }
    }

    #[test]
    fn labels_stay_inside_the_drawing() {
        let days: Vec<(Date, f64)> = (0..30)
            .map(|day| (date(2013, 2, 1) + i64::from(day).days(), 1.0))
            .collect();
        let drawing = over_time(&days, chart()).unwrap();
        let ends = drawing.marks.iter().filter_map(|mark| match mark {
            Mark::Text {
                at, anchor, text, ..
            } if text == "Mar 2013" => Some((at.0, *anchor)),
            _ => None,
        });
        assert_eq!(ends.collect::<Vec<_>>(), [(drawing.width, Anchor::End)]);
    }

    #[test]
    fn the_ground_of_gains_and_losses_ends_at_zero_which_is_in_view() {
        let days = [(date(2010, 1, 4), 3.0), (date(2010, 1, 5), 4.0)];
        let chart = TimeChart {
            from_zero: true,
            ..chart()
        };
        let drawing = over_time(&days, chart).unwrap();
        let zero = drawing
            .marks
            .iter()
            .any(|mark| matches!(mark, Mark::Text { text, .. } if text == "0"));
        assert!(zero, "{:?}", drawing.marks);
    }

    #[test]
    fn thinning_keeps_extremes_and_the_last_day() {
        let mut days = run(5000);
        days[2500].1 = 1e6;
        let kept = thinned(&days);
        assert!(kept.len() <= MOST_POINTS + 1);
        assert!(kept.contains(&days[2500]));
        assert_eq!(kept.last(), days.last());
    }

    #[test]
    fn one_day_has_no_chart() {
        assert!(over_time(&run(1), chart()).is_none());
    }
}
