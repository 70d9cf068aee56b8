//! Custodians' statements: CSV, JSON, and the investment statements of OFX and QFX files.
//!
//! Unlike other imports a statement is taken whole or not at all: a line left out would look like a difference between
//! ledger and custodian. The same file again changes nothing.

mod csv;
mod json;
mod lines;
mod ofx;
mod sgml;
mod text;

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

pub use lines::{LineKind, StatementLine};

use super::table::problem;
use super::{Source, read_file};
use crate::error::Result;
use crate::reconcile::Sections;
use crate::store::Store;

/// Most lines of one statement.
const MOST_LINES: usize = 1_000_000;

/// A statement as its file has it.
#[derive(Clone, Debug, PartialEq)]
pub struct StatementFile {
    /// The account's number at the custodian.
    pub account_no: String,
    /// Who wrote it; empty when the file does not say.
    pub custodian: String,
    /// The day on which it speaks.
    pub as_of: Date,
    /// The first day of its transactions; none when the file does not say.
    pub period_start: Option<Date>,
    /// What it covers.
    pub sections: Sections,
    /// Its lines, by number.
    pub lines: Vec<StatementLine>,
}

/// What importing a statement did.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ImportedStatement {
    /// The statement.
    pub statement_id: i64,
    /// The account that it is about.
    pub account_id: i64,
    /// The day on which it speaks.
    pub as_of: Date,
    /// How many lines it has.
    pub lines: usize,
    /// False when it was there already.
    pub new: bool,
}

/// Reads a statement; the name's ending says in which format it is.
///
/// # Errors
/// When the format is unknown, the text is not in the encoding it should be, or any line cannot be read; the text names
/// file, line and rule.
pub fn read_statement(source: Source<'_>) -> Result<StatementFile> {
    let ending = Path::new(source.name).extension();
    let ending = ending.map(|ending| ending.to_string_lossy().to_lowercase());
    let mut file = match ending.as_deref() {
        Some("csv") => csv::read(source)?,
        Some("json") => json::read(source)?,
        Some("ofx" | "qfx") => ofx::read(source)?,
        _ => {
            let rule = "a statement's name must end with .csv, .json, .ofx or .qfx";
            return Err(problem(source.name, rule));
        }
    };
    if file.lines.len() > MOST_LINES {
        let rule = format!("the statement has more than {MOST_LINES} lines: split it");
        return Err(problem(source.name, &rule));
    }
    file.lines.sort_by_key(|line| line.number);
    if file
        .lines
        .windows(2)
        .any(|pair| pair[0].number == pair[1].number)
    {
        // Several elements of one line of text: their order is all that tells them apart.
        for (line, number) in file.lines.iter_mut().zip(1..) {
            line.number = number;
        }
    }
    Ok(file)
}

/// Imports a statement. Its account is found by its number; `account_id` names it where the number is not known.
///
/// # Errors
/// As [`read_statement`]; when no account, or more than one, has the number; a database error.
pub async fn import_statement(
    store: &Store,
    source: Source<'_>,
    account_id: Option<i64>,
) -> Result<ImportedStatement> {
    let file = read_statement(source)?;
    let account_id = match account_id {
        Some(id) => store.account(id).await?.id,
        None => by_number(store, source.name, &file.account_no).await?,
    };
    let hash = hex::encode(Sha256::digest(source.bytes));
    let (statement_id, new) = store
        .put_statement(account_id, &file, source.name, &hash, source.now)
        .await?;
    Ok(ImportedStatement {
        statement_id,
        account_id,
        as_of: file.as_of,
        lines: file.lines.len(),
        new,
    })
}

/// Imports a statement from a file.
///
/// # Errors
/// As [`import_statement`], and when the file cannot be read.
pub async fn import_statement_file(
    store: &Store,
    path: &Path,
    account_id: Option<i64>,
    now: Timestamp,
) -> Result<ImportedStatement> {
    let bytes = read_file(path)?;
    let name = path.display().to_string();
    let source = Source {
        name: &name,
        bytes: &bytes,
        now,
    };
    import_statement(store, source, account_id).await
}

async fn by_number(store: &Store, name: &str, account_no: &str) -> Result<i64> {
    match store.accounts_by_number(account_no).await?.as_slice() {
        [id] => Ok(*id),
        [] => {
            let rule = format!(
                "no account has the custodian's number {account_no:?}: set it, or name the account"
            );
            Err(problem(name, &rule))
        }
        several => {
            let rule = format!(
                "accounts {several:?} all have the custodian's number {account_no:?}: name the account"
            );
            Err(problem(name, &rule))
        }
    }
}
