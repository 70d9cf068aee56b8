//! Charts as vectors: a [`Drawing`] is a list of marks that paper and browser draw alike.
//!
//! Coordinates are points (1/72 inch) from the upper left corner, downwards.

mod bars;
mod scale;
mod time;

pub use bars::bars;
pub use time::{TimeChart, over_time};

/// A colour of the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// Titles and headers.
pub const NAVY: Colour = Colour(18, 53, 91);
/// Text.
pub const INK: Colour = Colour(31, 41, 51);
/// Labels.
pub const GREY: Colour = Colour(101, 113, 125);
/// Hairlines.
pub const RULE: Colour = Colour(208, 215, 222);
/// Grounds.
pub const PALE: Colour = Colour(238, 242, 246);
/// Values.
pub const BLUE: Colour = Colour(38, 101, 160);
/// The ground of values.
pub const PALE_BLUE: Colour = Colour(221, 233, 244);
/// Losses.
pub const RED: Colour = Colour(173, 52, 62);
/// The ground of losses.
pub const PALE_RED: Colour = Colour(246, 224, 225);

/// Which end of a text its position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The left end.
    Start,
    /// The middle.
    Middle,
    /// The right end.
    End,
}

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Face {
    /// In points.
    pub size: f32,
    /// Or regular.
    pub bold: bool,
    /// Its colour.
    pub colour: Colour,
}

/// A position.
pub type Point = (f32, f32);

/// One mark of a drawing.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// Connected lines.
    Line {
        /// The corners.
        points: Vec<Point>,
        /// The colour.
        colour: Colour,
        /// In points.
        width: f32,
    },
    /// A filled polygon.
    Area {
        /// The corners.
        points: Vec<Point>,
        /// The colour.
        colour: Colour,
    },
    /// One line of text on its baseline.
    Text {
        /// Where.
        at: Point,
        /// Which end that is.
        anchor: Anchor,
        /// How it looks.
        face: Face,
        /// The words.
        text: String,
    },
}

impl Mark {
    /// A filled rectangle.
    pub fn rectangle((x, y): Point, width: f32, height: f32, colour: Colour) -> Mark {
        let points = vec![
            (x, y),
            (x + width, y),
            (x + width, y + height),
            (x, y + height),
        ];
        Mark::Area { points, colour }
    }

    /// A horizontal hairline.
    pub fn rule((x, y): Point, width: f32, colour: Colour) -> Mark {
        Mark::Line {
            points: vec![(x, y), (x + width, y)],
            colour,
            width: 0.5,
        }
    }

    /// The mark elsewhere.
    pub fn moved(&self, dx: f32, dy: f32) -> Mark {
        let shifted = |points: &[Point]| points.iter().map(|(x, y)| (x + dx, y + dy)).collect();
        let mut mark = self.clone();
        match &mut mark {
            Mark::Line { points, .. } | Mark::Area { points, .. } => *points = shifted(points),
            Mark::Text { at, .. } => *at = (at.0 + dx, at.1 + dy),
        }
        mark
    }
}

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// In points.
    pub width: f32,
    /// In points.
    pub height: f32,
    /// Back to front.
    pub marks: Vec<Mark>,
}

/// The face of axis labels.
const LABEL: Face = Face {
    size: 7.5,
    bold: false,
    colour: GREY,
};
