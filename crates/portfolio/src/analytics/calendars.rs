//! The calendars of a run: each is made once, and its last day found once, however many portfolios have it.

use std::collections::HashMap;
use std::sync::Arc;

use calendar::{Calendar, CalendarError, Calendars};
use jiff::civil::Date;

use super::request::RefreshRequest;

/// Calendars by name, as they are asked for.
#[derive(Debug)]
pub(super) struct MadeCalendars<'c> {
    source: &'c Calendars,
    made: HashMap<String, Arc<Calendar>>,
    days: HashMap<String, Date>,
}

impl<'c> MadeCalendars<'c> {
    pub(super) fn new(source: &'c Calendars) -> MadeCalendars<'c> {
        MadeCalendars {
            source,
            made: HashMap::new(),
            days: HashMap::new(),
        }
    }

    /// The calendar of this name.
    pub(super) fn get(&mut self, name: &str) -> Result<Arc<Calendar>, CalendarError> {
        if let Some(made) = self.made.get(name) {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(self.source.get(name)?);
        self.made.insert(name.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    /// The last day of the portfolios of a calendar, by the request whose calendars these are.
    pub(super) fn day(
        &mut self,
        name: &str,
        request: &RefreshRequest,
    ) -> Result<Date, CalendarError> {
        if let Some(day) = self.days.get(name) {
            return Ok(*day);
        }
        let day = request.day(&*self.get(name)?);
        self.days.insert(name.to_owned(), day);
        Ok(day)
    }
}
