//! A portfolio's row as JSON: made of a packed one, and read where a row was stored as that.

use serde::{Deserialize, Serialize};

use super::closing::StoredClosing;
use super::figures::{Names, ShownRow};
use super::{Payload, json, packed};
use crate::allocation::Weights;
use crate::analytics::envelope::Issue;
use crate::store::Stored;

#[derive(Debug, Serialize)]
struct Text<'p> {
    /// `ok`, or `empty` when nothing has happened.
    status: &'static str,
    /// The names of what is in the rows of `periods`.
    columns: Names,
    periods: Vec<ShownRow<'p>>,
    contribution: Option<&'p Weights>,
    closing: Option<&'p StoredClosing<'p>>,
    warnings: &'p [Issue],
}

pub(super) fn of(payload: &Payload<'_>) -> String {
    let closing = payload.closing.as_ref();
    json(&Text {
        status: if closing.is_some() { "ok" } else { "empty" },
        columns: Names,
        periods: payload.periods.iter().map(ShownRow).collect(),
        contribution: payload.contribution.as_deref(),
        closing,
        warnings: &payload.warnings.0,
    })
}

/// What is read back of a row.
#[derive(Deserialize)]
pub(super) struct Kept<'a> {
    pub(super) contribution: Option<Weights>,
    #[serde(borrow)]
    pub(super) closing: Option<StoredClosing<'a>>,
    pub(super) warnings: Vec<Issue>,
}

impl Kept<'_> {
    pub(super) fn of(stored: &Stored) -> Option<Kept<'_>> {
        match stored {
            Stored::Text(text) => serde_json::from_str(text).ok(),
            Stored::Packed(bytes) => {
                let payload = packed::read(bytes)?;
                Some(Kept {
                    contribution: payload.contribution.map(|shares| shares.into_owned()),
                    closing: payload.closing,
                    warnings: payload.warnings.0.into_owned(),
                })
            }
        }
    }
}
