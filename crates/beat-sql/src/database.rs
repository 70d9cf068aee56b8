//! The two servers, asked in one text: written with `?1` for its first value, `::type` where PostgreSQL needs to be told a type, and
//! `json_each` for the items of a JSON list. Every column is read as text (`CAST(… AS text)`): SQLite holds in any column whatever
//! somebody wrote there, and one such cell must not take the others with it.

use std::borrow::Cow;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row as _};

use crate::Error;
use crate::cell::Cell;

const CONNECTIONS: u32 = 4;
/// How long a statement waits for a connection, and a SQLite file for whoever writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// No connection is used for longer, so that a file or a server that took the place of another is met.
const LIFE: Duration = Duration::from_secs(300);

/// A row, each cell as text.
pub(crate) type Cells = Vec<Option<String>>;

/// A database of either kind. Connects when it is first asked.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pools: Pools,
    /// One connection that watches: SQLite tells each which commits of others it has not seen.
    watching: Pools,
    /// How many times the watching one was opened.
    opened: Arc<AtomicU64>,
    name: String,
}

#[derive(Clone, Debug)]
enum Pools {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// One transaction; dropped without [`Transaction::commit`] it is rolled back.
pub(crate) struct Transaction<'d> {
    database: &'d Database,
    server: Server,
}

/// How a transaction begins.
struct Begin {
    sqlite: &'static str,
    postgres: &'static str,
}

const READ: Begin = Begin {
    sqlite: "BEGIN",
    postgres: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
};
const WRITE: Begin = Begin {
    sqlite: "BEGIN IMMEDIATE",
    postgres: "BEGIN",
};

enum Server {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Database {
    /// A `postgresql://` address, or a path with or without `sqlite:` before it.
    pub(crate) fn open(url: &str, create: bool) -> Result<Self, Error> {
        if url.starts_with("postgresql://") || url.starts_with("postgres://") {
            return Self::postgres(url);
        }
        if url.contains("://") && !url.starts_with("sqlite:") {
            let scheme = url.split(':').next().unwrap_or_default();
            let why = format!("{scheme}:// is not supported");
            return Err(Error::Url { why });
        }
        Ok(Self::sqlite(sqlite_path(url), create))
    }

    fn postgres(url: &str) -> Result<Self, Error> {
        let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| Error::Url {
            why: error.to_string(),
        })?;
        let name = format!(
            "postgresql://{}:{}/{}",
            options.get_host(),
            options.get_port(),
            options.get_database().unwrap_or_default()
        );
        let options = options.options([("TimeZone", "UTC"), ("DateStyle", "ISO")]);
        let opened = Arc::<AtomicU64>::default();
        let watching = counted(single(PgPoolOptions::new()), &opened);
        Ok(Self {
            watching: Pools::Postgres(watching.connect_lazy_with(options.clone())),
            pools: Pools::Postgres(several(PgPoolOptions::new()).connect_lazy_with(options)),
            opened,
            name,
        })
    }

    fn sqlite(path: &str, create: bool) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .foreign_keys(true)
            .busy_timeout(PATIENCE);
        let opened = Arc::<AtomicU64>::default();
        let watching = counted(single(SqlitePoolOptions::new()), &opened);
        Self {
            watching: Pools::Sqlite(watching.connect_lazy_with(options.clone())),
            pools: Pools::Sqlite(several(SqlitePoolOptions::new()).connect_lazy_with(options)),
            opened,
            name: path.to_owned(),
        }
    }

    /// A transaction that only reads, everything as it is at one point in time.
    pub(crate) async fn read(&self) -> Result<Transaction<'_>, Error> {
        self.begin(&self.pools, READ).await
    }

    /// A transaction that writes.
    pub(crate) async fn write(&self) -> Result<Transaction<'_>, Error> {
        self.begin(&self.pools, WRITE).await
    }

    /// A transaction that only reads, on the connection that watches.
    pub(crate) async fn watch(&self) -> Result<Transaction<'_>, Error> {
        self.begin(&self.watching, READ).await
    }

    /// A transaction that writes what those who watch need not notice.
    pub(crate) async fn write_unnoticed(&self) -> Result<Transaction<'_>, Error> {
        self.begin(&self.watching, WRITE).await
    }

    async fn begin(&self, pools: &Pools, begin: Begin) -> Result<Transaction<'_>, Error> {
        let server = match pools {
            Pools::Sqlite(pool) => pool.begin_with(begin.sqlite).await.map(Server::Sqlite),
            Pools::Postgres(pool) => pool.begin_with(begin.postgres).await.map(Server::Postgres),
        };
        let server = server.map_err(|error| self.failed(error))?;
        Ok(Transaction {
            database: self,
            server,
        })
    }

    /// What it is, without user and password.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn failed(&self, source: sqlx::Error) -> Error {
        let database = self.name.clone();
        let said = source.to_string();
        let code = source.as_database_error().and_then(|error| error.code());
        let is_missing = ["no such table", "unable to open database file"];
        if code.as_deref() == Some("42P01") || is_missing.iter().any(|text| said.contains(text)) {
            return Error::TablesMissing { database, said };
        }
        Error::Database { database, source }
    }
}

fn several<D: sqlx::Database>(options: PoolOptions<D>) -> PoolOptions<D> {
    let options = options.max_connections(CONNECTIONS).max_lifetime(LIFE);
    options.acquire_timeout(PATIENCE)
}

fn single<D: sqlx::Database>(options: PoolOptions<D>) -> PoolOptions<D> {
    several(options).max_connections(1)
}

fn counted<D: sqlx::Database>(options: PoolOptions<D>, opened: &Arc<AtomicU64>) -> PoolOptions<D> {
    let opened = Arc::clone(opened);
    options.after_connect(move |_, _| {
        opened.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    })
}

/// The statement of one server with its values.
macro_rules! prepared {
    ($text:expr, $values:expr) => {
        $values.into_iter().fold(
            sqlx::query(AssertSqlSafe($text)),
            |query, value| match value {
                Cell::Text(value) => query.bind(value),
                Cell::Integer(value) => query.bind(value),
            },
        )
    };
}

/// All cells of a row; one that is no text shows as such.
macro_rules! cells {
    ($row:expr) => {{
        let row = $row;
        let cell = |index| {
            row.try_get(index)
                .unwrap_or_else(|_| Some("\u{fffd}".to_owned()))
        };
        (0..row.len()).map(cell).collect::<Cells>()
    }};
}

impl Transaction<'_> {
    /// Runs a statement and returns how many rows it changed.
    pub(crate) async fn execute(&mut self, text: &str, values: Vec<Cell>) -> Result<u64, Error> {
        let done = match &mut self.server {
            Server::Sqlite(server) => prepared!(for_sqlite(text), values)
                .execute(&mut **server)
                .await
                .map(|done| done.rows_affected()),
            Server::Postgres(server) => prepared!(for_postgres(text), values)
                .execute(&mut **server)
                .await
                .map(|done| done.rows_affected()),
        };
        done.map_err(|error| self.database.failed(error))
    }

    /// All rows that a statement gives; its columns must be texts.
    pub(crate) async fn rows(
        &mut self,
        text: &str,
        values: Vec<Cell>,
    ) -> Result<Vec<Cells>, Error> {
        let mut rows = Vec::new();
        self.each(text, values, |row| rows.push(row)).await?;
        Ok(rows)
    }

    /// As [`Transaction::rows`], one after the other.
    pub(crate) async fn each(
        &mut self,
        text: &str,
        values: Vec<Cell>,
        mut take: impl FnMut(Cells),
    ) -> Result<(), Error> {
        let done = match &mut self.server {
            Server::Sqlite(server) => {
                prepared!(for_sqlite(text), values)
                    .fetch(&mut **server)
                    .try_for_each(|row| {
                        take(cells!(row));
                        ready(Ok(()))
                    })
                    .await
            }
            Server::Postgres(server) => {
                prepared!(for_postgres(text), values)
                    .fetch(&mut **server)
                    .try_for_each(|row| {
                        take(cells!(row));
                        ready(Ok(()))
                    })
                    .await
            }
        };
        done.map_err(|error| self.database.failed(error))
    }

    /// The first cell of the first row.
    pub(crate) async fn first(
        &mut self,
        text: &str,
        values: Vec<Cell>,
    ) -> Result<Option<String>, Error> {
        let rows = self.rows(text, values).await?;
        Ok(rows
            .into_iter()
            .next()
            .and_then(|mut row| row.swap_remove(0)))
    }

    /// Whether there is a table of this name.
    pub(crate) async fn has_table(&mut self, name: &str) -> Result<bool, Error> {
        let text = match self.server {
            Server::Sqlite(_) => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?1"
            }
            Server::Postgres(_) => "SELECT CAST(to_regclass(?1) AS text)",
        };
        Ok(self.first(text, vec![name.into()]).await?.is_some())
    }

    /// How many times the connection that watches was opened.
    pub(crate) fn opened(&self) -> u64 {
        self.database.opened.load(Ordering::Relaxed)
    }

    /// Chooses the text of the server at hand.
    pub(crate) fn either<'t>(&self, sqlite: &'t str, postgres: &'t str) -> &'t str {
        match self.server {
            Server::Sqlite(_) => sqlite,
            Server::Postgres(_) => postgres,
        }
    }

    /// Makes it last.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        let committed = match self.server {
            Server::Sqlite(server) => server.commit().await,
            Server::Postgres(server) => server.commit().await,
        };
        committed.map_err(|error| self.database.failed(error))
    }
}

/// `sqlite:a.db` and SQLAlchemy's `sqlite:///a.db` name a file beside us, `sqlite:////a.db` one at the root.
fn sqlite_path(url: &str) -> &str {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    path.strip_prefix("///").unwrap_or(path)
}

/// Without the types.
fn for_sqlite(text: &str) -> String {
    let mut parts = text.split("::");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.trim_start_matches(|c: char| c.is_ascii_alphanumeric()));
    }
    plain
}

/// With PostgreSQL's placeholders and its name for the items of a list.
fn for_postgres(text: &str) -> String {
    let text = match text.contains("json_each(") {
        true => Cow::Owned(text.replace("json_each(", "jsonb_array_elements(")),
        false => Cow::Borrowed(text),
    };
    text.replace('?', "$")
}

#[cfg(test)]
mod tests {
    use super::{for_postgres, for_sqlite, sqlite_path};

    #[test]
    fn each_server_gets_its_own_words() {
        let text = "UPDATE t SET a = ?1::timestamptz FROM json_each(?2::jsonb)";
        assert_eq!(for_sqlite(text), "UPDATE t SET a = ?1 FROM json_each(?2)");
        let postgres = "UPDATE t SET a = $1::timestamptz FROM jsonb_array_elements($2::jsonb)";
        assert_eq!(for_postgres(text), postgres);
    }

    #[test]
    fn files_are_named_in_any_habit() {
        for url in ["a.db", "sqlite:a.db", "sqlite:///a.db"] {
            assert_eq!(sqlite_path(url), "a.db");
        }
        assert_eq!(sqlite_path("sqlite:////srv/a.db"), "/srv/a.db");
        assert_eq!(sqlite_path("sqlite:/srv/a.db"), "/srv/a.db");
    }
}
