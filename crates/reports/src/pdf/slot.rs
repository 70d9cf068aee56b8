//! A font that is read when it is first needed.

use std::sync::OnceLock;

use super::built_in::BuiltIn;
use super::fallback::SystemFont;
use super::font::Font;
use crate::error::Result;

/// Where a font comes from.
#[derive(Debug)]
pub(super) enum Source {
    BuiltIn(&'static BuiltIn),
    System(SystemFont),
}

/// One font of a typeface.
#[derive(Debug)]
pub(super) struct Slot {
    source: Source,
    /// Nothing when it cannot be read: then it has no characters, and what is missing is told.
    font: OnceLock<Option<Font>>,
}

impl Slot {
    pub(super) fn new(source: Source) -> Slot {
        Slot {
            source,
            font: OnceLock::new(),
        }
    }

    /// Reads a font that must be there.
    pub(super) fn read(&self) -> Result<()> {
        let font = self.source.read()?;
        self.font.get_or_init(|| Some(font));
        Ok(())
    }

    pub(super) fn font(&self) -> Option<&Font> {
        self.font.get_or_init(|| self.source.read().ok()).as_ref()
    }

    /// True when the font shows text of this weight.
    pub(super) fn suits(&self, bold: bool) -> bool {
        match &self.source {
            Source::BuiltIn(font) => font.bold == bold,
            Source::System(_) => true,
        }
    }

    /// True when it has a character; a font that is for other scripts is not read for that.
    pub(super) fn has(&self, character: char) -> bool {
        let has = |font: &Font| font.glyph(character).is_some();
        self.source.covers(character) && self.font().is_some_and(has)
    }

    #[cfg(test)]
    pub(super) fn is_read(&self) -> bool {
        self.font.get().is_some()
    }
}

impl Source {
    fn covers(&self, character: char) -> bool {
        match self {
            Source::BuiltIn(font) => font.covers(character),
            Source::System(_) => true,
        }
    }

    fn read(&self) -> Result<Font> {
        match self {
            Source::BuiltIn(font) => font.read(),
            Source::System(font) => font.read(),
        }
    }
}
