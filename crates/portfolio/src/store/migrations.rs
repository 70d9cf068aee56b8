//! Schema versions, embedded. A version that has been released is never edited; a change is a new file.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::Store;
use super::database::Pools;
use crate::error::{Error, Result};

/// One version of the schema on both servers.
struct Version {
    number: i64,
    description: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// Every version, in order.
const VERSIONS: [Version; 5] = [
    Version {
        number: 1,
        description: "schema",
        sqlite: include_str!("../../migrations/0001_schema.sql"),
        postgres: include_str!("../../migrations/0001_schema.postgres.sql"),
    },
    Version {
        number: 2,
        description: "targets",
        sqlite: include_str!("../../migrations/0002_targets.sql"),
        postgres: include_str!("../../migrations/0002_targets.postgres.sql"),
    },
    Version {
        number: 3,
        description: "revisions",
        sqlite: include_str!("../../migrations/0003_revisions.sql"),
        postgres: include_str!("../../migrations/0003_revisions.postgres.sql"),
    },
    Version {
        number: 4,
        description: "ledger states",
        sqlite: include_str!("../../migrations/0004_ledger_states.sql"),
        postgres: include_str!("../../migrations/0004_ledger_states.postgres.sql"),
    },
    Version {
        number: 5,
        description: "packed figures",
        sqlite: include_str!("../../migrations/0005_packed_figures.sql"),
        postgres: include_str!("../../migrations/0005_packed_figures.postgres.sql"),
    },
];

/// The newest version.
pub(crate) fn schema_version() -> i64 {
    VERSIONS[VERSIONS.len() - 1].number
}

impl Store {
    pub(super) async fn migrate(&self) -> Result<()> {
        let done = match &self.pools {
            Pools::Sqlite(pool) => migrator(|version| version.sqlite).run(pool).await,
            Pools::Postgres(pool) => migrator(|version| version.postgres).run(pool).await,
        };
        done.map_err(|error| self.migration_failed(error))
    }

    fn migration_failed(&self, error: MigrateError) -> Error {
        match error {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                self.failed(source)
            }
            other => Error::Migration {
                database: self.name.clone(),
                source: Box::new(other),
            },
        }
    }
}

fn migrator(text: impl Fn(&Version) -> &'static str) -> Migrator {
    let migrations = VERSIONS.iter().map(|version| {
        Migration::new(
            version.number,
            Cow::Borrowed(version.description),
            MigrationType::Simple,
            text(version).into_sql_str(),
            false,
        )
    });
    Migrator {
        migrations: Cow::Owned(migrations.collect()),
        ..Migrator::DEFAULT
    }
}
