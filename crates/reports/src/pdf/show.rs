//! Runs of text as operators of a page's content, placed glyph by glyph.

use pdf_writer::types::TextRenderingMode;
use pdf_writer::{Content, Name, Str, TextStr};

use super::font::Font;
use super::meaning::{Used, reading};
use super::shape::Glyph;
use super::typeface::Run;

/// How wide hidden letters are, in hundredths: too little to move anything, and more than nothing for readers who divide by it.
const HIDDEN_WIDTH: f32 = 1.0;

/// Shows a run at the pen's place and leaves the pen at its end.
pub(super) fn show(content: &mut Content, used: &mut Used, (run, font): (&Run, &Font), size: f32) {
    let mut line = Line {
        content,
        items: Vec::new(),
        gap: 0.0,
        rise: 0.0,
        size,
    };
    for (glyphs, text) in run.clusters() {
        let reading = reading(font, run.rightwards, glyphs, text);
        for (letter, id) in &reading.hidden {
            line.hidden(used.code(*id, || letter.to_string()), font.advance(*id));
        }
        let meant = used.meant(font, glyphs, &reading.text);
        if !meant {
            line.flush();
            let mut span = line
                .content
                .begin_marked_content_with_properties(Name(b"Span"));
            span.properties().actual_text(TextStr(&reading.text));
        }
        for glyph in glyphs {
            line.glyph(used.glyphs.remap(glyph.id), glyph, font.advance(glyph.id));
        }
        if !meant {
            line.flush();
            line.content.end_marked_content();
        }
    }
    line.raise(0.0);
    line.flush();
}

/// What one operator takes. Gaps are thousandths of the font size, to the left.
enum Item {
    Codes(Vec<u8>),
    Gap(f32),
}

/// Glyphs that are not yet written.
struct Line<'c> {
    content: &'c mut Content,
    items: Vec<Item>,
    /// How far the pen is to the right of where the next glyph belongs.
    gap: f32,
    /// How high glyphs stand above the line.
    rise: f32,
    size: f32,
}

impl Line<'_> {
    /// A glyph that moves the pen by its natural width.
    fn glyph(&mut self, code: u16, glyph: &Glyph, natural: f32) {
        let (right, up) = glyph.offset;
        self.raise(up);
        self.gap -= right;
        self.close_gap();
        let codes = code.to_be_bytes();
        match self.items.last_mut() {
            Some(Item::Codes(last)) => last.extend(codes),
            _ => self.items.push(Item::Codes(codes.to_vec())),
        }
        self.gap += natural + right - glyph.advance;
    }

    /// A letter that is not seen, for those who copy text.
    fn hidden(&mut self, code: u16, natural: f32) {
        self.flush();
        self.content
            .set_text_rendering_mode(TextRenderingMode::Invisible)
            .set_horizontal_scaling(HIDDEN_WIDTH)
            .show(Str(&code.to_be_bytes()))
            .set_horizontal_scaling(100.0)
            .set_text_rendering_mode(TextRenderingMode::Fill);
        self.gap += natural * HIDDEN_WIDTH / 100.0;
    }

    fn raise(&mut self, rise: f32) {
        if rise != self.rise {
            self.flush();
            self.rise = rise;
            self.content.set_rise(hundredths(rise / 1000.0 * self.size));
        }
    }

    fn close_gap(&mut self) {
        let gap = hundredths(self.gap);
        if gap != 0.0 {
            self.items.push(Item::Gap(gap));
            self.gap -= gap;
        }
    }

    fn flush(&mut self) {
        self.close_gap();
        match self.items.as_slice() {
            [] => return,
            [Item::Codes(codes)] => {
                self.content.show(Str(codes));
            }
            items => {
                let mut operator = self.content.show_positioned();
                let mut placed = operator.items();
                for item in items {
                    match item {
                        Item::Codes(codes) => placed.show(Str(codes)),
                        Item::Gap(gap) => placed.adjust(*gap),
                    };
                }
            }
        }
        self.items.clear();
    }
}

fn hundredths(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}
