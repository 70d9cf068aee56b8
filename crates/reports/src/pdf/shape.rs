//! Letters of one font as glyphs: joined, reordered and marked as their script wants it.

use harfrust::{
    Buffer, BufferFlags, ClusterLevel, Direction, Feature, ShapeOptions, ShaperFont, Tag, shape,
};

use super::font::Font;

/// Letters keep their own widths and shapes: figures stand below each other, and what is copied is what was written.
const FEATURES: [&[u8; 4]; 3] = [b"kern", b"liga", b"clig"];

/// Letters before this one stand alone: a glyph for each, whatever is beside it.
const FIRST_MARK: char = '\u{300}';
const SOFT_HYPHEN: char = '\u{ad}';

/// A glyph on a line. Measures are thousandths of the font size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Glyph {
    /// Its number in the font; 0 is an empty box.
    pub(super) id: u16,
    /// The byte of the text at which the characters that it shows begin. Glyphs in a row with the same one show them together.
    pub(super) cluster: usize,
    /// From here to where the next glyph is.
    pub(super) advance: f32,
    /// How far to the right and up it is drawn.
    pub(super) offset: (f32, f32),
}

impl Font {
    /// Glyphs from left to right.
    pub(super) fn shape(&self, text: &str, rightwards: bool) -> Vec<Glyph> {
        let alone = |character| character < FIRST_MARK && character != SOFT_HYPHEN;
        if rightwards && text.chars().all(alone) {
            return self.one_by_one(text);
        }
        let shaper = ShaperFont::new(self.shaping());
        let mut buffer = buffer(text, rightwards);
        let features = FEATURES.map(|name| Feature::new(Tag::new(name), 0, ..));
        let options = ShapeOptions::new().features(&features);
        if shape(&shaper, &mut buffer, options).is_err() {
            return self.one_by_one(text);
        }
        let infos = buffer.glyph_infos().iter();
        let placed = infos.zip(buffer.glyph_positions());
        placed
            .map(|(info, position)| {
                let id = u16::try_from(info.glyph_id).unwrap_or_default();
                let more = position.x_advance - shaper.glyph_h_advance(info.glyph_id.into());
                Glyph {
                    id,
                    cluster: info.cluster as usize,
                    advance: self.advance(id) + self.scaled(more),
                    offset: (
                        self.scaled(position.x_offset),
                        self.scaled(position.y_offset),
                    ),
                }
            })
            .collect()
    }

    fn one_by_one(&self, text: &str) -> Vec<Glyph> {
        text.char_indices()
            .map(|(cluster, character)| {
                let id = self.glyph(character).unwrap_or_default();
                Glyph {
                    id,
                    cluster,
                    advance: self.advance(id),
                    offset: (0.0, 0.0),
                }
            })
            .collect()
    }
}

fn buffer(text: &str, rightwards: bool) -> Buffer {
    let mut buffer = Buffer::new();
    buffer.push_str(text);
    buffer.set_flags(BufferFlags::REMOVE_DEFAULT_IGNORABLES);
    buffer.set_cluster_level(ClusterLevel::MonotoneCharacters);
    buffer.set_direction(if rightwards {
        Direction::LeftToRight
    } else {
        Direction::RightToLeft
    });
    buffer.guess_segment_properties();
    buffer
}
