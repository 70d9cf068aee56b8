//! Schedule and zone of entries. Entries of the same schedule and zone share one, however many they are.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::interned::Interned;
use crate::schedule::{Schedule, find_zone};

static KNOWN: Interned<Timetable> = Interned::new();

/// When entries run, and by which clock.
#[derive(Debug)]
pub struct Timetable {
    /// When they run.
    pub schedule: Schedule,
    /// Where the schedule's wall clock hangs.
    pub zone: TimeZone,
    /// The zone's IANA name.
    pub zone_name: String,
    text: Box<str>,
}

impl Timetable {
    /// The one of this schedule and this zone.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn of(schedule: Schedule, zone_name: &str) -> Result<Arc<Self>, jiff::Error> {
        let text = format!("{schedule} [{zone_name}]");
        KNOWN.get(&text, || {
            Ok(Arc::new(Self {
                schedule,
                zone: find_zone(zone_name)?,
                zone_name: zone_name.to_owned(),
                text: text.as_str().into(),
            }))
        })
    }

    /// Schedule and zone as text. When it changes, earlier runs say nothing about the next one.
    pub fn text(&self) -> &str {
        &self.text
    }
}
