//! What can go wrong around the domain. Errors of one portfolio's ledger are [`crate::ledger::LedgerError`].

use std::path::PathBuf;

/// An error with what to do about it in its text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A calendar is unknown or damaged.
    #[error(transparent)]
    Calendar(#[from] calendar::CalendarError),
    /// The database does not exist.
    #[error("database {0} not found: create it first, or point to an existing one")]
    DatabaseMissing(String),
    /// The database or its folder cannot be written.
    #[error(
        "database {database} cannot be written: the folder of a file must exist, and this user needs write access"
    )]
    DatabaseReadOnly {
        /// The file, or server and database.
        database: String,
        /// What the server said.
        #[source]
        source: sqlx::Error,
    },
    /// No space is left for the database.
    #[error("the disk of database {database} is full: free space and run again, nothing was lost")]
    DiskFull {
        /// The file, or server and database.
        database: String,
        /// What the server said.
        #[source]
        source: sqlx::Error,
    },
    /// Another process holds the database for too long.
    #[error("database {database} is busy: another process is writing; try again")]
    DatabaseBusy {
        /// The file, or server and database.
        database: String,
        /// What the server said.
        #[source]
        source: sqlx::Error,
    },
    /// The file is not a database, or is damaged.
    #[error("{database} is not a usable database: restore it from a backup")]
    DatabaseDamaged {
        /// The file, or server and database.
        database: String,
        /// What the server said.
        #[source]
        source: sqlx::Error,
    },
    /// The server does not answer, or not in time.
    #[error(
        "database {database} cannot be reached: start its server, or correct the address: {source}"
    )]
    DatabaseUnreachable {
        /// The server and database.
        database: String,
        /// The reason.
        #[source]
        source: sqlx::Error,
    },
    /// The address of a database cannot be read. Its text may hold a password and is not repeated.
    #[error(
        "the database's address is not a URL such as postgresql://user:password@host:5432/finance: {source}"
    )]
    DatabaseUrl {
        /// The reason.
        #[source]
        source: sqlx::Error,
    },
    /// The address of a database is neither of a server nor of a file. It may hold a password and is not repeated.
    #[error(
        "the database's address must be postgresql://user:password@host:5432/finance or sqlite:path/to/finance.db"
    )]
    DatabaseAddress,
    /// The address is that of a folder.
    #[error("{0} is a folder: name a file in it, such as {0}/finance.db")]
    DatabaseFolder(String),
    /// Any other database error.
    #[error("database {database} failed: {source}")]
    Database {
        /// The file, or server and database.
        database: String,
        /// What the server said.
        #[source]
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("the schema of database {database} cannot be brought up to date: {source}")]
    Migration {
        /// The file, or server and database.
        database: String,
        /// The reason.
        #[source]
        source: Box<sqlx::migrate::MigrateError>,
    },
    /// A stored value is not what its column must hold.
    #[error("table {table}, row {row}: {column} holds {value:?}, which cannot be read")]
    StoredValue {
        /// The table.
        table: &'static str,
        /// The row's id, or what identifies it.
        row: String,
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
    },
    /// An argument breaks a rule.
    #[error("{field} = {value}: {rule}")]
    InvalidArgument {
        /// The argument.
        field: &'static str,
        /// What was given.
        value: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A row that an argument names does not exist.
    #[error("{what} {id} does not exist")]
    NotFound {
        /// User, portfolio or account.
        what: &'static str,
        /// Its id or name.
        id: String,
    },
    /// A row that an argument names belongs to another user.
    #[error("{what} {id} belongs to another user")]
    Forbidden {
        /// Portfolio or account.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Every portfolio failed.
    #[error("all {count} portfolios failed; the first: portfolio {id}: {message}")]
    EveryPortfolioFailed {
        /// How many.
        count: usize,
        /// The first one.
        id: String,
        /// Its stable code.
        code: String,
        /// Its error.
        message: String,
    },
    /// The ledger of an account cannot be applied.
    #[error("the ledger of account {account} cannot be applied: {source}")]
    Ledger {
        /// The account.
        account: i64,
        /// What is wrong.
        #[source]
        source: crate::ledger::LedgerError,
    },
    /// The lock of this run was lost to another one.
    #[error("lock {0} was taken by another run: this one was stopped for longer than its lease")]
    LockLost(String),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    FileWrite {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// No space is left for a backup.
    #[error("the disk is full: backup {} was not written, nothing of it is left", path.display())]
    BackupDiskFull {
        /// The backup.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// A backup cannot be restored.
    #[error("backup {} cannot be used: {problem}", path.display())]
    Backup {
        /// The backup.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Restoring would lose rows.
    #[error(
        "database {database} is not empty ({table} has rows): {}",
        if *partial { "a backup of a part can only be restored into a new database" } else { "all its rows would be replaced, which must be asked for" }
    )]
    NotEmpty {
        /// The file, or server and database.
        database: String,
        /// A table that has rows.
        table: String,
        /// Whether the backup holds a part of the tables.
        partial: bool,
    },
    /// The work was asked to end before it was done.
    #[error("stopped before it was done: nothing of it is left")]
    Stopped,
    /// A file as a whole is not what an import expects.
    #[error("{name}: {problem}")]
    Import {
        /// The file.
        name: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A result cannot be written as JSON.
    #[error("a result cannot be stored as JSON")]
    Json(#[from] serde_json::Error),
    /// The thread that computed has panicked.
    #[error("a computation stopped unexpectedly")]
    Computation(#[source] tokio::task::JoinError),
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
