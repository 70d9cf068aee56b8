//! By the sun at a place: Celery's `solar`.
//!
//! Celery asks another ephemeris, so times differ by some seconds. As there, an event that the polar day or night leaves out
//! comes when the sun next makes it.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use super::sun::Sun;
use crate::error::ScheduleError;

/// The sun crosses a height at most twice a day; steps this short meet each crossing but a touch at the turn of a season.
const STEP: SignedDuration = SignedDuration::from_mins(5);
const SEARCH: SignedDuration = SignedDuration::from_hours(24 * 366);
/// Halvings that narrow a step to below a microsecond.
const HALVINGS: u32 = 30;

/// What the sun does, in Celery's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SolarEvent {
    DawnAstronomical,
    DawnNautical,
    DawnCivil,
    Sunrise,
    SolarNoon,
    Sunset,
    DuskCivil,
    DuskNautical,
    DuskAstronomical,
}

const EVENTS: [(&str, SolarEvent); 9] = [
    ("dawn_astronomical", SolarEvent::DawnAstronomical),
    ("dawn_nautical", SolarEvent::DawnNautical),
    ("dawn_civil", SolarEvent::DawnCivil),
    ("sunrise", SolarEvent::Sunrise),
    ("solar_noon", SolarEvent::SolarNoon),
    ("sunset", SolarEvent::Sunset),
    ("dusk_civil", SolarEvent::DuskCivil),
    ("dusk_nautical", SolarEvent::DuskNautical),
    ("dusk_astronomical", SolarEvent::DuskAstronomical),
];

impl FromStr for SolarEvent {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let found = EVENTS.iter().find(|(name, _)| *name == text);
        found.map(|(_, event)| *event).ok_or_else(|| ScheduleError::Form {
            expected: "a solar event (dawn_, dusk_ with astronomical, nautical or civil; sunrise, solar_noon, sunset)",
            found: format!("{text:?}"),
        })
    }
}

impl fmt::Display for SolarEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = EVENTS.iter().find(|(_, event)| event == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

/// An event at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solar {
    event: SolarEvent,
    latitude: f64,
    longitude: f64,
}

impl Solar {
    /// What the sun does.
    pub fn event(&self) -> SolarEvent {
        self.event
    }

    /// Degrees north.
    pub fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    pub fn longitude(&self) -> f64 {
        self.longitude
    }

    /// At degrees north and degrees east.
    ///
    /// # Errors
    /// When there is no such place.
    pub fn new(event: SolarEvent, latitude: f64, longitude: f64) -> Result<Self, ScheduleError> {
        let within = |value: f64, most: f64| (-most..=most).contains(&value);
        if within(latitude, 90.0) && within(longitude, 180.0) {
            return Ok(Self {
                event,
                latitude,
                longitude,
            });
        }
        Err(ScheduleError::Form {
            expected: "a latitude of -90 to 90 and a longitude of -180 to 180",
            found: format!("{latitude}, {longitude}"),
        })
    }

    /// The first time after `last`; after a year without one, the time at which the search ended, as in Celery.
    pub fn next_after(&self, last: Timestamp) -> Option<Timestamp> {
        let end = last.checked_add(SEARCH).ok()?;
        let (mut from, mut before) = (last, self.phase(last));
        while from < end {
            let to = from.checked_add(STEP).ok()?;
            let after = self.phase(to);
            if before < 0.0 && after >= 0.0 && after - before < 180.0 {
                return self.narrow(from, to).filter(|at| *at > last);
            }
            (from, before) = (to, after);
        }
        Some(end)
    }

    /// Rises through zero at the event, in degrees.
    fn phase(&self, at: Timestamp) -> f64 {
        use SolarEvent as Event;
        let sun = Sun::seen(at, self.latitude, self.longitude);
        let above = |horizon: f64| sun.altitude - horizon;
        let rim = above(-34.0 / 60.0) + sun.radius;
        match self.event {
            Event::SolarNoon => sun.hour_angle,
            Event::Sunrise => rim,
            Event::Sunset => -rim,
            Event::DawnCivil => above(-6.0),
            Event::DawnNautical => above(-12.0),
            Event::DawnAstronomical => above(-18.0),
            Event::DuskCivil => -above(-6.0),
            Event::DuskNautical => -above(-12.0),
            Event::DuskAstronomical => -above(-18.0),
        }
    }

    fn narrow(&self, mut from: Timestamp, mut to: Timestamp) -> Option<Timestamp> {
        for _ in 0..HALVINGS {
            let middle = from.checked_add(to.duration_since(from) / 2).ok()?;
            if self.phase(middle) < 0.0 {
                from = middle;
            } else {
                to = middle;
            }
        }
        Some(to)
    }
}

impl fmt::Display for Solar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}, {}", self.event, self.latitude, self.longitude)
    }
}
