//! A document on pages: what stands where, and where a new page begins.

use super::lines::lines;
use super::table;
use super::typeface::Typeface;
use crate::chart::{Anchor, Colour, Drawing, Face, GREY, INK, Mark, NAVY, PALE, RULE};
use crate::document::{Block, Document, Figure};
use crate::format::isolated;

/// A4, in points.
pub(super) const WIDTH: f32 = 595.28;
pub(super) const HEIGHT: f32 = 841.89;
pub(super) const MARGIN: f32 = 48.0;
/// The width of text, tables and charts.
pub(super) const TEXT_WIDTH: f32 = WIDTH - 2.0 * MARGIN;
/// Where the text of a page begins and ends.
const TOP: f32 = 56.0;
const BOTTOM: f32 = HEIGHT - 62.0;

/// Pages under construction.
pub(super) struct Pages<'t> {
    pub(super) typeface: &'t Typeface,
    pages: Vec<Vec<Mark>>,
    /// Where the next thing goes.
    pub(super) y: f32,
}

/// The marks of every page.
pub(super) fn pages(document: &Document, typeface: &Typeface) -> Vec<Vec<Mark>> {
    let mut pages = Pages {
        typeface,
        pages: vec![Vec::new()],
        y: TOP,
    };
    pages.title(document);
    for (index, block) in document.blocks.iter().enumerate() {
        pages.block(block, document.blocks.get(index + 1));
    }
    pages.footers(document);
    pages.pages
}

pub(super) fn text(at: (f32, f32), anchor: Anchor, face: Face, text: impl Into<String>) -> Mark {
    Mark::Text {
        at,
        anchor,
        face,
        text: text.into(),
    }
}

pub(super) const fn face(size: f32, bold: bool, colour: Colour) -> Face {
    Face { size, bold, colour }
}

impl Pages<'_> {
    pub(super) fn put(&mut self, mark: Mark) {
        let last = self.pages.len() - 1;
        self.pages[last].push(mark);
    }

    /// True when so much still fits on this page.
    pub(super) fn fits(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    pub(super) fn break_page(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    fn room(&mut self, height: f32) {
        if !self.fits(height) {
            self.break_page();
        }
    }

    fn title(&mut self, document: &Document) {
        self.put(Mark::rectangle((0.0, 0.0), WIDTH, 6.0, NAVY));
        let label = face(9.0, true, GREY);
        self.put(text(
            (MARGIN, self.y),
            Anchor::Start,
            label,
            document.subtitle.to_uppercase(),
        ));
        self.y += 26.0;
        for line in lines(self.typeface, &document.title, 22.0, true, TEXT_WIDTH) {
            self.put(text(
                (MARGIN, self.y),
                Anchor::Start,
                face(22.0, true, NAVY),
                line,
            ));
            self.y += 26.0;
        }
        self.y -= 8.0;
        self.facts(&document.facts);
        self.put(Mark::rule((MARGIN, self.y), TEXT_WIDTH, NAVY));
        self.y += 16.0;
    }

    fn facts(&mut self, facts: &[(String, String)]) {
        for (label, value) in facts {
            self.put(text(
                (MARGIN, self.y),
                Anchor::Start,
                face(8.5, false, GREY),
                label,
            ));
            let room = TEXT_WIDTH - 80.0;
            for line in lines(self.typeface, value, 8.5, false, room) {
                self.put(text(
                    (MARGIN + 80.0, self.y),
                    Anchor::Start,
                    face(8.5, false, INK),
                    line,
                ));
                self.y += 12.5;
            }
        }
        self.y += 2.0;
    }

    fn block(&mut self, block: &Block, next: Option<&Block>) {
        match block {
            Block::Heading(heading) => self.heading(heading, next),
            Block::Note(note) => self.note(note),
            Block::Figures(figures) => self.figures(figures),
            Block::Table(table) => table::put(self, table),
            Block::Chart { caption, drawing } => self.chart(caption, drawing),
        }
    }

    /// A heading stays with what follows it.
    fn heading(&mut self, heading: &str, next: Option<&Block>) {
        let company = match next {
            Some(Block::Chart { drawing, .. }) => drawing.height + 30.0,
            Some(Block::Table(table)) => table::undivided(self.typeface, table).max(64.0),
            _ => 64.0,
        };
        let lines = lines(self.typeface, heading, 12.5, true, TEXT_WIDTH);
        self.room(14.0 + 16.0 * lines.len() as f32 + company);
        self.y += 4.0;
        for line in lines {
            self.y += 16.0;
            let at = (MARGIN, self.y);
            self.put(text(at, Anchor::Start, face(12.5, true, NAVY), line));
        }
        self.y += 10.0;
    }

    fn note(&mut self, note: &str) {
        for line in lines(self.typeface, note, 8.5, false, TEXT_WIDTH) {
            self.room(13.0);
            self.y += 9.0;
            self.put(text(
                (MARGIN, self.y),
                Anchor::Start,
                face(8.5, false, GREY),
                line,
            ));
            self.y += 3.0;
        }
        self.y += 4.0;
    }

    fn figures(&mut self, figures: &[Figure]) {
        const COLUMNS: usize = 4;
        const GAP: f32 = 8.0;
        const TILE: f32 = 42.0;
        let width = (TEXT_WIDTH - GAP * (COLUMNS - 1) as f32) / COLUMNS as f32;
        for row in figures.chunks(COLUMNS) {
            self.room(TILE + GAP);
            for (column, figure) in row.iter().enumerate() {
                let left = MARGIN + column as f32 * (width + GAP);
                self.tile(figure, left, width, TILE);
            }
            self.y += TILE + GAP;
        }
        self.y += 4.0;
    }

    /// A long value is written smaller.
    fn tile(&mut self, figure: &Figure, left: f32, width: f32, height: f32) {
        let top = self.y;
        self.put(Mark::rectangle((left, top), width, height, PALE));
        let label = face(7.5, false, GREY);
        self.put(text(
            (left + 8.0, top + 14.0),
            Anchor::Start,
            label,
            figure.label,
        ));
        let natural = self.typeface.width(&figure.value, 13.0, true);
        let size = 13.0 * ((width - 16.0) / natural).min(1.0);
        let value = face(size, true, INK);
        self.put(text(
            (left + 8.0, top + 32.0),
            Anchor::Start,
            value,
            &figure.value,
        ));
    }

    fn chart(&mut self, caption: &str, drawing: &Drawing) {
        self.room(drawing.height + 26.0);
        self.y += 12.0;
        self.put(text(
            (MARGIN, self.y),
            Anchor::Start,
            face(8.5, true, INK),
            caption,
        ));
        self.y += 6.0;
        for mark in &drawing.marks {
            self.put(mark.moved(MARGIN, self.y));
        }
        self.y += drawing.height + 8.0;
    }

    /// Title and day; a long title is cut, so that it leaves the page's number alone.
    fn footer(&self, document: &Document) -> String {
        let day = format!(" · as of {}", document.as_of);
        let title = lines(self.typeface, &document.title, 7.5, false, TEXT_WIDTH / 2.0);
        match title.as_slice() {
            [short] => format!("{}{day}", isolated(short)),
            [start, ..] => format!("{}{day}", isolated(&format!("{start}…"))),
            [] => day,
        }
    }

    fn footers(&mut self, document: &Document) {
        let count = self.pages.len();
        let small = face(7.5, false, GREY);
        let y = HEIGHT - 34.0;
        let left = self.footer(document);
        for (index, page) in self.pages.iter_mut().enumerate() {
            let number = format!("Page {} of {count}", index + 1);
            page.push(Mark::rule((MARGIN, y - 12.0), TEXT_WIDTH, RULE));
            page.push(text((MARGIN, y), Anchor::Start, small, &left));
            page.push(text((WIDTH - MARGIN, y), Anchor::End, small, number));
        }
    }
}
