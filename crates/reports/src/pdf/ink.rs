//! Marks as operators of a page's content, and which fonts they use.

use std::collections::BTreeMap;

use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Name};

use super::layout::HEIGHT;
use super::meaning::Used;
use super::show::show;
use super::typeface::{Run, Typeface};
use crate::chart::{Anchor, Colour, Face, Mark, Point};

/// A pen for all pages of a file.
pub(super) struct Pen<'t> {
    typeface: &'t Typeface,
    /// By the font's index.
    pub(super) used: BTreeMap<usize, Used>,
}

/// The name of a font in a page's resources.
pub(super) fn font_name(index: usize) -> String {
    format!("F{index}")
}

impl<'t> Pen<'t> {
    pub(super) fn new(typeface: &'t Typeface) -> Pen<'t> {
        Pen {
            typeface,
            used: BTreeMap::new(),
        }
    }

    /// A page's content.
    pub(super) fn page(&mut self, marks: &[Mark]) -> Vec<u8> {
        let mut content = Content::new();
        content.set_line_cap(LineCapStyle::ButtCap);
        content.set_line_join(LineJoinStyle::RoundJoin);
        for mark in marks {
            match mark {
                Mark::Line {
                    points,
                    colour,
                    width,
                } => line(&mut content, points, *colour, *width),
                Mark::Area { points, colour } => area(&mut content, points, *colour),
                Mark::Text {
                    at,
                    anchor,
                    face,
                    text,
                } => self.text(&mut content, *at, *anchor, *face, text),
            }
        }
        content.finish().into_vec()
    }

    fn text(&mut self, content: &mut Content, at: Point, anchor: Anchor, face: Face, text: &str) {
        let runs = self.typeface.runs(text, face.bold);
        let width = runs.iter().map(Run::width).sum::<f32>() * face.size;
        let left = match anchor {
            Anchor::Start => at.0,
            Anchor::Middle => at.0 - width / 2.0,
            Anchor::End => at.0 - width,
        };
        let (r, g, b) = rgb(face.colour);
        content.begin_text();
        content.set_fill_rgb(r, g, b);
        content.next_line(round(left), round(HEIGHT - at.1));
        for run in &runs {
            let name = font_name(run.font);
            content.set_font(Name(name.as_bytes()), face.size);
            let used = self.used.entry(run.font).or_default();
            let font = self.typeface.font(run.font);
            show(content, used, (run, font), face.size);
        }
        content.end_text();
    }
}

fn line(content: &mut Content, points: &[Point], colour: Colour, width: f32) {
    let (r, g, b) = rgb(colour);
    content.set_stroke_rgb(r, g, b);
    content.set_line_width(width);
    path(content, points);
    content.stroke();
}

fn area(content: &mut Content, points: &[Point], colour: Colour) {
    let (r, g, b) = rgb(colour);
    content.set_fill_rgb(r, g, b);
    path(content, points);
    content.close_path();
    content.fill_nonzero();
}

fn path(content: &mut Content, points: &[Point]) {
    for (index, (x, y)) in points.iter().enumerate() {
        let (x, y) = (round(*x), round(HEIGHT - y));
        if index == 0 {
            content.move_to(x, y);
        } else {
            content.line_to(x, y);
        }
    }
}

/// A hundredth of a point is finer than any printer.
fn round(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

fn rgb(Colour(r, g, b): Colour) -> (f32, f32, f32) {
    let part = |value: u8| (f32::from(value) / 255.0 * 1000.0).round() / 1000.0;
    (part(r), part(g), part(b))
}
