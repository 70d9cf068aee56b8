//! Schema versions, embedded. A version that has been released is never edited; a change is a new file.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::Store;
use crate::error::{Error, Result};

/// Version, description and text of every migration, in order.
const MIGRATIONS: [(i64, &str, &str); 1] = [(
    1,
    "schema",
    include_str!("../../migrations/0001_schema.sql"),
)];

impl Store {
    pub(super) async fn migrate(&self) -> Result<()> {
        migrator()
            .run(&self.pool)
            .await
            .map_err(|error| self.migration_failed(error))
    }

    fn migration_failed(&self, error: MigrateError) -> Error {
        match error {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                self.failed(source)
            }
            other => Error::Migration {
                path: self.path.clone(),
                source: Box::new(other),
            },
        }
    }
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, description, sql)| {
        Migration::new(
            *version,
            Cow::Borrowed(*description),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator {
        migrations: Cow::Owned(migrations.collect()),
        ..Migrator::DEFAULT
    }
}
