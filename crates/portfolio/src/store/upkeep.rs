//! What a week's upkeep looks for: rows that look alike, rows that belong to nothing, and room to give back.

use super::Store;
use super::codec::id_list;
use crate::error::Result;

/// Groups of rows that a run lists.
const LISTED: i64 = 1000;

impl Store {
    /// Groups of transactions that are alike in account, day, type, asset, quantity, price and amount: their ids with commas.
    pub async fn alike_transactions(&self) -> Result<Vec<String>> {
        let query = self.sql(
            "SELECT string_agg(id::text, ',' ORDER BY id) AS ids FROM transactions
             GROUP BY account_id, trade_date, type, asset_id, quantity, price, amount HAVING count(*) > 1
             ORDER BY min(id) LIMIT ?1",
        );
        let rows = query.bind(LISTED).all().await?;
        Ok(rows.iter().map(|row| row.get("ids")).collect())
    }

    /// How many results belong to users or portfolios that are gone.
    pub async fn count_orphans(&self) -> Result<u64> {
        let query = self.sql(
            "SELECT (SELECT count(*) FROM cache_entries WHERE user_id IS NOT NULL AND user_id NOT IN (SELECT id FROM users))
               + (SELECT count(*) FROM analytics WHERE scope = 'portfolio' AND scope_id NOT IN (SELECT id FROM portfolios))
               + (SELECT count(*) FROM analytics WHERE scope = 'user' AND scope_id NOT IN (SELECT id FROM users)) AS found",
        );
        let count: i64 = query.found().await?;
        Ok(count.unsigned_abs())
    }

    /// Removes them, and returns how many there were.
    pub async fn remove_orphans(&self) -> Result<u64> {
        let mut removed = 0;
        let mut tx = self.begin().await?;
        for statement in [
            "DELETE FROM cache_entries WHERE user_id IS NOT NULL AND user_id NOT IN (SELECT id FROM users)",
            "DELETE FROM analytics WHERE scope = 'portfolio' AND scope_id NOT IN (SELECT id FROM portfolios)",
            "DELETE FROM analytics WHERE scope = 'user' AND scope_id NOT IN (SELECT id FROM users)",
        ] {
            removed += self.sql(statement).execute_in(&mut tx).await?;
        }
        self.commit(tx).await?;
        Ok(removed)
    }

    /// Every artefact's id and path.
    pub async fn artefact_paths(&self) -> Result<Vec<(i64, String)>> {
        let query = self.sql("SELECT id, path FROM report_artifacts ORDER BY id");
        let rows = query.all().await?;
        Ok(rows
            .iter()
            .map(|row| (row.get("id"), row.get("path")))
            .collect())
    }

    /// Forgets artefacts; their files are the caller's affair.
    pub async fn forget_artefacts(&self, ids: &[i64]) -> Result<u64> {
        let query = self.sql(
            "DELETE FROM report_artifacts WHERE id IN (SELECT value::bigint FROM json_each(?1::jsonb))",
        );
        let query = query.bind(id_list(ids.iter().copied()));
        query.execute().await
    }

    /// Gives back the room of deleted rows and counts anew what the server plans by.
    pub async fn vacuum(&self) -> Result<()> {
        self.sql("VACUUM").execute().await?;
        self.sql("ANALYZE").execute().await?;
        Ok(())
    }
}
