//! How often what figures rest on was written, as triggers of the schema count it, and what the last refresh of each scope
//! gave. Neither is part of a backup.

use jiff::Timestamp;
use jiff::civil::Date;

use super::Store;
use super::codec::{Reader, id_list};
use super::sql::Row;
use crate::by_id::ById;
use crate::error::Result;

/// A statement for counts less the prices of later days.
macro_rules! select_settled {
    ($which:literal) => {
        concat!(
            "SELECT id, revision - (SELECT count(*) FROM prices WHERE asset_id = revisions.id AND prices.date > ?1::date) AS revision
             FROM revisions WHERE subject = 'asset'",
            $which
        )
    };
}

impl Store {
    /// The sum of all counts: another one after every write that figures could rest on.
    pub(crate) async fn revision(&self) -> Result<i64> {
        let query = self.sql("SELECT sum(revision)::bigint AS found FROM revisions");
        query.found().await
    }

    /// What sets the counts of this database apart from another's.
    pub(crate) async fn installation(&self) -> Result<i64> {
        let query =
            self.sql("SELECT coalesce(max(revision), 0) AS found FROM revisions WHERE subject = 'installation'");
        query.found().await
    }

    /// How often each asset's facts, prices and actions were written, by asset id.
    pub(crate) async fn asset_counts(&self) -> Result<ById<i64>> {
        let query = self.sql("SELECT id, revision FROM revisions WHERE subject = 'asset'");
        Ok(counts(&query.all().await?))
    }

    /// How often what ledgers take from each asset besides its prices was written, by asset id.
    pub(crate) async fn fact_counts(&self) -> Result<ById<i64>> {
        let query = self.sql("SELECT id, revision FROM revisions WHERE subject = 'facts'");
        Ok(counts(&query.all().await?))
    }

    /// How often each asset's facts, prices and actions were written, less its prices of days after `day`, by asset id: one more
    /// price of a later day leaves that as it is.
    pub(crate) async fn settled_counts(&self, day: Date) -> Result<ById<i64>> {
        let query = self.sql(select_settled!("")).bind(day);
        Ok(counts(&query.all().await?))
    }

    /// The same of some assets.
    pub(crate) async fn settled_counts_of(&self, assets: &[i64], day: Date) -> Result<ById<i64>> {
        let query = self.sql(select_settled!(
            " AND id IN (SELECT value::bigint FROM json_each(?2::jsonb))"
        ));
        let query = query.bind(day).bind(id_list(assets.iter().copied()));
        Ok(counts(&query.all().await?))
    }

    /// The calendars of active portfolios, of all users or of one.
    pub(crate) async fn calendars(&self, user_id: Option<i64>) -> Result<Vec<String>> {
        let query = self.sql(
            "SELECT DISTINCT calendar FROM portfolios WHERE is_active AND (?1 IS NULL OR user_id = ?1) ORDER BY calendar",
        );
        let rows = query.bind(user_id).all().await?;
        Ok(rows.iter().map(|row| row.get("calendar")).collect())
    }

    /// What the last refresh of a scope gave, as JSON, if it was made from `stamp` and is fresh.
    pub(crate) async fn kept_refresh(
        &self,
        scope: &str,
        stamp: &str,
        now: Timestamp,
    ) -> Result<Option<String>> {
        let query = self.sql(
            "SELECT result, fresh_until::text AS fresh_until FROM refreshes WHERE scope = ?1 AND stamp = ?2",
        );
        let Some(row) = query.bind(scope).bind(stamp).first().await? else {
            return Ok(None);
        };
        let reader = Reader {
            table: "refreshes",
            id: scope.to_owned(),
            row: &row,
        };
        let fresh_until: Timestamp = reader.required("fresh_until")?;
        Ok((now < fresh_until).then(|| row.get("result")))
    }

    /// Keeps what a refresh gave.
    pub(crate) async fn keep_refresh(
        &self,
        scope: &str,
        stamp: &str,
        result: String,
        fresh_until: Timestamp,
    ) -> Result<()> {
        let query = self.sql(
            "INSERT INTO refreshes (scope, stamp, result, fresh_until) VALUES (?1, ?2, ?3, ?4::timestamptz)
             ON CONFLICT (scope) DO UPDATE SET stamp = excluded.stamp, result = excluded.result, fresh_until = excluded.fresh_until",
        );
        let query = query.bind(scope).bind(stamp).bind(result).bind(fresh_until);
        query.execute().await.map(drop)
    }
}

fn counts(rows: &[Row]) -> ById<i64> {
    rows.iter()
        .map(|row| (row.get("id"), row.get("revision")))
        .collect()
}
