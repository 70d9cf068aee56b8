//! The calendars of a run: each is made once, however many portfolios have it.

use std::collections::HashMap;
use std::sync::Arc;

use calendar::{Calendar, CalendarError, Calendars};

/// Calendars by name, as they are asked for.
#[derive(Debug)]
pub(super) struct MadeCalendars<'c> {
    source: &'c Calendars,
    made: HashMap<String, Arc<Calendar>>,
}

impl<'c> MadeCalendars<'c> {
    pub(super) fn new(source: &'c Calendars) -> MadeCalendars<'c> {
        MadeCalendars {
            source,
            made: HashMap::new(),
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
}
