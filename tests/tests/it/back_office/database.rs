//! Where a system keeps its ledger: a file in its folder, or a database of a PostgreSQL server that several systems share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::time::Duration;
use testkit::Postgres;

use super::system::PATIENCE;

#[derive(Clone, Debug)]
pub enum Database {
    /// `finance.db` of this data folder.
    File(PathBuf),
    /// A database of this name.
    Server(Arc<Postgres>, String),
}

impl Database {
    pub fn of_folder(folder: &Path) -> Self {
        Self::File(folder.join("data/finance.db"))
    }

    /// An empty one.
    pub fn on(server: &Arc<Postgres>) -> Self {
        let name = unused_name();
        server.sql(&format!("CREATE DATABASE {name}"));
        Self::Server(server.clone(), name)
    }

    /// What a system whose files were copied to another folder works on. Nothing may be using this one.
    pub fn copy_for(&self, folder: &Path) -> Self {
        match self {
            Self::File(_) => Self::of_folder(folder),
            Self::Server(server, original) => {
                let name = unused_name();
                server.sql(&format!("CREATE DATABASE {name} TEMPLATE {original}"));
                Self::Server(server.clone(), name)
            }
        }
    }

    /// Where programs are told to find it; they find a file by themselves.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::File(_) => None,
            Self::Server(server, name) => Some(server.url_of(name)),
        }
    }

    /// Runs statements that both kinds understand.
    pub async fn run(&self, statements: &[String]) {
        match self {
            Self::File(file) => {
                let mut connection = connect(file, PATIENCE).await;
                for statement in statements {
                    let query = sqlx::query(AssertSqlSafe(statement.as_str()));
                    query.execute(&mut connection).await.unwrap();
                }
                connection.close().await.unwrap();
            }
            Self::Server(server, name) => {
                for statement in statements {
                    server.sql_in(name, statement);
                }
            }
        }
    }
}

fn unused_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("ledger_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A connection that waits so long for others.
pub async fn connect(file: &Path, patience: Duration) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file);
    options.busy_timeout(patience).connect().await.unwrap()
}
