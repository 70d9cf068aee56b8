//! Files into the store: prices, exchange rates, corporate actions and transactions as CSV, and custodians' statements.
//!
//! A file is read row by row; a bad row is listed with line, field, value and rule, and the good ones are stored in one
//! transaction. Importing again changes nothing. A file that is not a table of the expected kind (wrong encoding, missing
//! columns, endless row) is refused and nothing of it is stored. Prices and transactions are stored as they are read, so
//! that their files may have any size; what is read whole has a limit.

mod actions;
mod assets;
mod cells;
mod input;
mod lots;
mod prices;
mod rates;
mod statement;
mod table;
mod transactions;

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

pub use actions::{import_actions, read_actions};
pub use assets::{AssetFacts, read_assets};
pub use input::Input;
pub use prices::{PriceImport, import_prices, read_prices};
pub use rates::{import_rates, read_rates};
pub use statement::{
    ImportedStatement, LineKind, StatementFile, StatementLine, import_statement,
    import_statement_file, read_statement,
};
pub use transactions::{TransactionImport, import_transactions};

use crate::error::{Error, Result};
use crate::progress::Progress;

/// What to do about a symbol that is new.
const NO_SUCH_ASSET: &str = "is not a known asset: celeriac finance assets set adds it, fetch-market-data one that a provider knows";

/// Rows written at once.
const BATCH: usize = 1000;
/// Bad rows that a report lists; the others are counted.
const LISTED: usize = 1000;

/// Largest file that is read whole.
const FILE_LIMIT: u64 = 256 << 20;

/// Called as an import goes on.
pub type OnProgress<'p> = &'p mut (dyn FnMut(Progress) + Send);

/// Where a file's text comes from and when it is read.
#[derive(Clone, Copy, Debug)]
pub struct Source<'s> {
    /// The file's name, for messages.
    pub name: &'s str,
    /// Its bytes: CSV in UTF-8, with a header row.
    pub bytes: &'s [u8],
    /// The time of the import.
    pub now: Timestamp,
}

/// A file's bytes; files above 256 MiB are refused.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_LIMIT {
        return Err(table::problem(
            &path.display().to_string(),
            "the file is larger than 256 MiB: split it",
        ));
    }
    std::fs::read(path).map_err(failed)
}

/// A row that was not imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// The line in the file, from one.
    pub line: u64,
    /// The column.
    pub field: String,
    /// What it holds.
    pub value: String,
    /// The rule that it breaks.
    pub rule: String,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Data rows in the file.
    pub rows: u64,
    /// Rows that were new or changed something.
    pub written: u64,
    /// Rows that were there already.
    pub unchanged: u64,
    /// Rows that were refused.
    pub bad: u64,
    /// The first of them.
    pub bad_rows: Vec<BadRow>,
}

impl ImportReport {
    fn refuse(&mut self, row: BadRow) {
        self.bad += 1;
        if self.bad_rows.len() < LISTED {
            self.bad_rows.push(row);
        }
    }

    /// Counts what was stored of the good rows.
    fn stored(&mut self, written: u64) {
        self.written += written;
        self.unchanged = self.rows - self.bad - self.written;
    }
}

impl std::fmt::Display for BadRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "line {}: {} = {:?} {}",
            self.line, self.field, self.value, self.rule
        )
    }
}
