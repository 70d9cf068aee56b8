//! The system's fonts for Chinese, Japanese and Korean and for emoji. They are too large to be part of the programs.

use std::path::{Path, PathBuf};

use super::font::Font;
use crate::error::{Error, Result};

/// Names a TrueType font file to use instead of the first that is found for Chinese, Japanese and Korean.
const VARIABLE: &str = "CELERIAC_REPORT_FONT";

/// TrueType fonts of Debian and Ubuntu (`fonts-wqy-microhei`, `fonts-wqy-zenhei`, `fonts-droid-fallback`; the last has no Korean),
/// of Fedora and of macOS.
const EAST_ASIAN: [&str; 7] = [
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
    "/usr/share/fonts/google-droid-sans-fonts/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/google-droid/DroidSansFallback.ttf",
    "/Library/Fonts/Arial Unicode.ttf",
];

/// Fonts with emoji as outlines: of Debian and Ubuntu (`fonts-symbola`) and of Fedora. Coloured ones have no outlines.
const EMOJI: [&str; 3] = [
    "/usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf",
    "/usr/share/fonts/gdouros-symbola/Symbola.ttf",
    "/usr/share/fonts/google-noto-emoji-fonts/NotoEmoji-Regular.ttf",
];

/// A font file of the system.
#[derive(Debug)]
pub(super) struct SystemFont {
    file: PathBuf,
    /// True when somebody named it; then it must be readable.
    pub(super) chosen: bool,
}

/// The fonts that are there, in the order in which they are asked for a character.
pub(super) fn fonts() -> Vec<SystemFont> {
    let chosen = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
    let east_asian = match chosen {
        Some(file) => Some(SystemFont {
            file: PathBuf::from(file),
            chosen: true,
        }),
        None => first(&EAST_ASIAN),
    };
    east_asian.into_iter().chain(first(&EMOJI)).collect()
}

fn first(places: &[&str]) -> Option<SystemFont> {
    let mut there = places.iter().map(Path::new).filter(|file| file.is_file());
    Some(SystemFont {
        file: there.next()?.to_owned(),
        chosen: false,
    })
}

impl SystemFont {
    pub(super) fn read(&self) -> Result<Font> {
        let data = std::fs::read(&self.file).map_err(|error| Error::Font {
            name: self.file.display().to_string(),
            problem: format!("{error}; set {VARIABLE} to a TrueType font"),
        })?;
        let stem = self.file.file_stem().unwrap_or_default();
        Font::read(&stem.to_string_lossy().replace(' ', ""), data)
    }
}
