//! What can go wrong with the tables.

/// An error with what to do about it in its text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address names no server that is known.
    #[error("celeriac_beat_database_url is neither postgresql://… nor sqlite: and a path: {why}")]
    Url {
        /// What is wrong with it.
        why: String,
    },
    /// The tables are not there.
    #[error(
        "{database} has no tables of django-celery-beat: run `python manage.py migrate django_celery_beat` or `celeriac schedule create-tables` ({said})"
    )]
    TablesMissing {
        /// The file, or server and database.
        database: String,
        /// What the server said.
        said: String,
    },
    /// The server refuses, or does not answer.
    #[error("{database}: {source}")]
    Database {
        /// The file, or server and database.
        database: String,
        /// What it said.
        #[source]
        source: sqlx::Error,
    },
    /// An entry that cannot be understood, so it is not written.
    #[error(transparent)]
    Entry(#[from] beat::EntryError),
    /// There is no such entry.
    #[error("there is no entry {0:?} in the tables")]
    NotFound(String),
}
