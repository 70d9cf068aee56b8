//! What updates report of single assets.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What was done for one asset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolReport {
    /// Who answered.
    pub provider: String,
    /// New prices.
    pub rows_inserted: u64,
    /// Corrected prices.
    pub rows_updated: u64,
    /// Prices that were there already.
    pub rows_unchanged: u64,
    /// Splits and dividends that were new or corrected.
    pub actions: u64,
    /// Rows that could not be used.
    pub dropped: usize,
    /// True when the provider said that nothing has changed.
    pub not_modified: bool,
}

/// Something wrong, or odd, with one asset.
#[derive(Clone, Debug)]
pub struct Issue {
    /// The asset, or `fx`.
    pub symbol: String,
    /// A stable code.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The provider's error, where it is one.
    pub cause: Option<Error>,
}

impl Issue {
    /// An asset whose providers failed.
    pub fn failed(symbol: &str, error: Error) -> Issue {
        Issue {
            symbol: symbol.to_owned(),
            code: error.code().to_owned(),
            message: error.to_string(),
            cause: Some(error),
        }
    }

    pub(super) fn odd(symbol: &str, code: &str, message: String) -> Issue {
        Issue {
            symbol: symbol.to_owned(),
            code: code.to_owned(),
            message,
            cause: None,
        }
    }

    pub(super) fn stopped(symbol: &str) -> Issue {
        let message = format!("{symbol} was not reached within the time limit");
        Issue::odd(symbol, "SoftTimeLimitExceeded", message)
    }
}
