//! One TrueType font: which glyph shows a character, how wide it is, and the subset that a file embeds. How letters change
//! beside each other is the shaper's matter.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, GlyphId, MetadataProvider, Tag};
use subsetter::GlyphRemapper;

use crate::error::{Error, Result};

/// PDF measures glyphs in thousandths of the font size.
const EM: f32 = 1000.0;

/// Sizes of the whole font, in thousandths of the font size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metrics {
    pub(super) ascent: f32,
    pub(super) descent: f32,
    pub(super) cap_height: f32,
    /// Left, bottom, right, top.
    pub(super) bounds: [f32; 4],
}

/// A font in memory.
pub(super) struct Font {
    /// As files name it, without spaces.
    pub(super) name: String,
    pub(super) metrics: Metrics,
    data: Arc<Vec<u8>>,
    /// The same data, as the shaper reads it.
    shaping: harfrust::Font,
    glyphs: HashMap<char, u16>,
    advances: Vec<f32>,
}

impl Font {
    /// Reads a font, or the first of a collection.
    pub(super) fn read(name: &str, data: Vec<u8>) -> Result<Font> {
        let broken = |problem: String| Error::Font {
            name: name.to_owned(),
            problem,
        };
        let data = Arc::new(data);
        let font = FontRef::from_index(&data, 0).map_err(|error| broken(error.to_string()))?;
        if font.table_data(Tag::new(b"glyf")).is_none() {
            return Err(broken(
                "has no TrueType outlines; choose another one".to_owned(),
            ));
        }
        let glyphs = font.charmap().mappings().filter_map(mapping).collect();
        let (size, location) = (Size::new(EM), LocationRef::default());
        let (whole, single) = (
            font.metrics(size, location),
            font.glyph_metrics(size, location),
        );
        let advance = |glyph| {
            single
                .advance_width(GlyphId::new(glyph))
                .unwrap_or_default()
        };
        let bounds = whole.bounds.unwrap_or_default();
        let metrics = Metrics {
            ascent: whole.ascent,
            descent: whole.descent,
            cap_height: whole.cap_height.unwrap_or(whole.ascent),
            bounds: [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max],
        };
        let advances = (0..whole.glyph_count).map(advance).collect();
        let shared: Arc<dyn AsRef<[u8]> + Send + Sync> = data.clone();
        let shaping = harfrust::Font::new(shared, 0)
            .ok_or_else(|| broken("cannot be used for shaping".to_owned()))?;
        Ok(Font {
            name: name.to_owned(),
            metrics,
            glyphs,
            advances,
            shaping,
            data,
        })
    }

    pub(super) fn shaping(&self) -> &harfrust::Font {
        &self.shaping
    }

    /// Units of the font in thousandths of the font size.
    pub(super) fn scaled(&self, units: i32) -> f32 {
        units as f32 * EM / f32::from(self.shaping.units_per_em())
    }

    /// The glyph of a character when it stands alone.
    pub(super) fn glyph(&self, character: char) -> Option<u16> {
        self.glyphs.get(&character).copied()
    }

    /// The first character that a glyph shows when it stands alone.
    pub(super) fn character(&self, glyph: u16) -> Option<char> {
        let shown = self.glyphs.iter().filter(|(_, id)| **id == glyph);
        shown.map(|(character, _)| *character).min()
    }

    /// A glyph's width in thousandths of the font size.
    pub(super) fn advance(&self, glyph: u16) -> f32 {
        self.advances
            .get(usize::from(glyph))
            .copied()
            .unwrap_or_default()
    }

    /// A font with the used glyphs only.
    pub(super) fn subset(&self, used: &GlyphRemapper) -> Result<Vec<u8>> {
        subsetter::subset(&self.data, 0, used).map_err(|error| Error::Font {
            name: self.name.clone(),
            problem: error.to_string(),
        })
    }
}

impl fmt::Debug for Font {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Font").field(&self.name).finish()
    }
}

fn mapping((code, glyph): (u32, GlyphId)) -> Option<(char, u16)> {
    let glyph = u16::try_from(glyph.to_u32()).ok()?;
    Some((char::from_u32(code)?, glyph)).filter(|_| glyph != 0)
}
