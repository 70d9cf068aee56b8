//! Calendars by name, with a folder of later exceptions on top of the embedded tables.

use std::path::PathBuf;

use crate::{Calendar, CalendarError, Result};

/// Finds calendars by name.
#[derive(Clone, Debug, Default)]
pub struct Calendars {
    folder: Option<PathBuf>,
}

impl Calendars {
    /// The embedded tables alone.
    pub fn embedded() -> Calendars {
        Calendars::default()
    }

    /// The embedded tables, and for each calendar `<MIC>.csv` of a folder where it exists.
    pub fn with_folder(folder: impl Into<PathBuf>) -> Calendars {
        Calendars {
            folder: Some(folder.into()),
        }
    }

    /// The embedded tables and `calendars/` of the folder that `CELERIAC_DATA` names.
    pub fn from_env() -> Calendars {
        let folder = std::env::var_os("CELERIAC_DATA").filter(|folder| !folder.is_empty());
        Calendars {
            folder: folder.map(|folder| PathBuf::from(folder).join("calendars")),
        }
    }

    /// The calendar of this name.
    pub fn get(&self, mic: &str) -> Result<Calendar> {
        let calendar = Calendar::named(mic)?;
        let Some(path) = self
            .folder
            .as_ref()
            .map(|folder| folder.join(format!("{mic}.csv")))
            .filter(|path| path.exists())
        else {
            return Ok(calendar);
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|source| CalendarError::File { path, source })?;
        calendar.with_exceptions(&text)
    }
}
