//! What can be wrong with a schedule, an entry, or the state on the broker.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::schedule::{Field, FieldError, Interval};

/// Why a schedule cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// A crontab field breaks the grammar.
    #[error("crontab field {field}: {source}")]
    Field {
        /// Which field.
        field: Field,
        /// What is wrong.
        source: FieldError,
    },
    /// A day and month that no year has.
    #[error("day_of_month {day_of_month:?} never occurs in month_of_year {month_of_year:?}")]
    NeverOccurs {
        /// The days.
        day_of_month: String,
        /// The months.
        month_of_year: String,
    },
    /// An interval of zero, a negative one, or a tiny one.
    #[error("an interval of {every:#} is shorter than {:#}", Interval::SHORTEST)]
    TooShort {
        /// The interval.
        every: SignedDuration,
    },
    /// The `cron` crate refuses the expression.
    #[error("cron expression {text:?} (seconds first, six or seven fields): {source}")]
    Cron {
        /// The expression.
        text: String,
        /// What the crate says.
        source: Box<cron::error::Error>,
    },
    /// The exchange calendar is unknown or damaged.
    #[error(transparent)]
    Calendar(#[from] calendar::CalendarError),
    /// Two sources have an entry of one name.
    #[error("another source has an entry of this name, which is the one that runs")]
    Doubled,
    /// No schedule has this form.
    #[error("expected {expected}, found {found}")]
    Form {
        /// What is accepted.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}

/// Why an entry of the schedule cannot be used. Names the entry and the field.
#[derive(Clone, Debug, thiserror::Error)]
#[error("schedule entry {entry:?}, field {field}: {source}")]
pub struct EntryError {
    /// The entry's name.
    pub entry: String,
    /// The field, such as `schedule` or `options.queue`.
    pub field: String,
    /// What is wrong.
    #[source]
    pub source: Arc<dyn std::error::Error + Send + Sync>,
}
