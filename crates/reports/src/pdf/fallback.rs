//! Where a font for Chinese, Japanese and Korean names is looked for. It is too large to be part of the programs.

use std::path::PathBuf;

/// Names a TrueType font file to use instead.
pub(super) const VARIABLE: &str = "CELERIAC_REPORT_FONT";

/// TrueType fonts of Debian and Ubuntu (`fonts-wqy-microhei`, `fonts-wqy-zenhei`, `fonts-droid-fallback`; the last has no Korean),
/// of Fedora and of macOS.
const PLACES: [&str; 7] = [
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
    "/usr/share/fonts/google-droid-sans-fonts/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/google-droid/DroidSansFallback.ttf",
    "/Library/Fonts/Arial Unicode.ttf",
];

/// The font that the variable names, or the first that is there.
pub(super) fn file() -> Option<PathBuf> {
    match std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        Some(chosen) => Some(PathBuf::from(chosen)),
        None => PLACES
            .iter()
            .map(PathBuf::from)
            .find(|place| place.is_file()),
    }
}
