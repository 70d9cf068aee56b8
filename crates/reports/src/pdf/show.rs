//! Runs of text as operators of a page's content, placed glyph by glyph, and what readers get who copy it.

use std::collections::BTreeMap;

use pdf_writer::{Content, Name, Str, TextStr};
use subsetter::GlyphRemapper;

use super::font::Font;
use super::shape::Glyph;
use super::typeface::Run;

/// The glyphs of one font that a file shows.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// Old to new glyph numbers.
    pub(super) glyphs: GlyphRemapper,
    /// What new glyphs mean, for those who copy text.
    pub(super) meanings: BTreeMap<u16, String>,
}

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
        let meant = used.meant(font, glyphs, text);
        if !meant {
            line.flush();
            let mut span = line
                .content
                .begin_marked_content_with_properties(Name(b"Span"));
            span.properties().actual_text(TextStr(text));
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

impl Used {
    /// True when the glyphs alone say what they show. A glyph means one text throughout a file: its letter, or all that it showed
    /// when it was first used.
    fn meant(&mut self, font: &Font, glyphs: &[Glyph], text: &str) -> bool {
        for glyph in glyphs {
            let letter = text
                .chars()
                .find(|letter| font.glyph(*letter) == Some(glyph.id));
            let meaning = match letter {
                Some(letter) => letter.to_string(),
                None if glyphs.len() == 1 => text.to_owned(),
                None => continue,
            };
            let code = self.glyphs.remap(glyph.id);
            self.meanings.entry(code).or_insert(meaning);
        }
        let [glyph] = glyphs else {
            return false;
        };
        let code = self.glyphs.remap(glyph.id);
        self.meanings
            .get(&code)
            .is_some_and(|meaning| meaning == text)
    }
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
