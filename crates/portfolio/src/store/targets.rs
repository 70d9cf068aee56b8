//! How portfolios are meant to be divided.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Store;
use super::codec::{Reader, id_list};
use super::sql::Row;
use crate::error::Result;
use crate::targets::{Dimension, Target, TargetPlan};

impl Store {
    /// Stores the plan of a portfolio in place of the one before.
    ///
    /// # Errors
    /// A plan that cannot be followed, or a database error.
    pub async fn put_targets(
        &self,
        portfolio_id: i64,
        plan: &TargetPlan,
        now: Timestamp,
    ) -> Result<()> {
        plan.check()?;
        let mut tx = self.begin().await?;
        let delete = self.sql("DELETE FROM target_plans WHERE portfolio_id = ?1");
        delete.bind(portfolio_id).execute_in(&mut tx).await?;
        let query = self.sql(
            "INSERT INTO target_plans (portfolio_id, dimension, minimum_trade, cash_kept, whole_shares, updated_at)
             VALUES (?1, ?2, ?3::numeric, ?4::numeric, ?5, ?6::timestamptz)",
        );
        let query = query.bind(portfolio_id).bind(plan.dimension.as_str());
        let query = query.bind(plan.minimum_trade).bind(plan.cash_kept);
        let query = query.bind(plan.whole_shares).bind(now);
        query.execute_in(&mut tx).await?;
        for target in &plan.targets {
            let query = self.sql(
                "INSERT INTO target_weights (portfolio_id, name, weight, band, buy_symbol)
                 VALUES (?1, ?2, ?3::numeric, ?4::numeric, ?5)",
            );
            let query = query.bind(portfolio_id).bind(target.name.as_str());
            let query = query.bind(target.weight).bind(target.band);
            query.bind(target.buy.clone()).execute_in(&mut tx).await?;
        }
        self.commit(tx).await
    }

    /// Forgets the plan of a portfolio; true when there was one.
    pub async fn remove_targets(&self, portfolio_id: i64) -> Result<bool> {
        let query = self.sql("DELETE FROM target_plans WHERE portfolio_id = ?1");
        Ok(query.bind(portfolio_id).execute().await? > 0)
    }

    /// The plans of those portfolios that have one; targets by name.
    pub async fn targets(&self, portfolio_ids: &[i64]) -> Result<BTreeMap<i64, TargetPlan>> {
        let ids = id_list(portfolio_ids.iter().copied());
        let query = self.sql(
            "SELECT portfolio_id, dimension, minimum_trade::text, cash_kept::text, whole_shares, name, weight::text, band::text, buy_symbol
             FROM target_plans JOIN target_weights USING (portfolio_id)
             WHERE portfolio_id IN (SELECT value::bigint FROM json_each(?1::jsonb)) ORDER BY portfolio_id, name",
        );
        let mut plans: BTreeMap<i64, TargetPlan> = BTreeMap::new();
        for row in &query.bind(ids).all().await? {
            let portfolio_id: i64 = row.get("portfolio_id");
            let reader = Reader {
                table: "target_plans",
                id: portfolio_id.to_string(),
                row,
            };
            let target = target(&reader, row)?;
            match plans.get_mut(&portfolio_id) {
                Some(plan) => plan.targets.push(target),
                None => {
                    plans.insert(portfolio_id, plan(&reader, row, target)?);
                }
            }
        }
        Ok(plans)
    }
}

fn plan(reader: &Reader<'_>, row: &Row, first: Target) -> Result<TargetPlan> {
    let dimension: String = row.get("dimension");
    Ok(TargetPlan {
        dimension: Dimension::parse(&dimension)
            .ok_or_else(|| reader.broken("dimension", &dimension))?,
        minimum_trade: reader.required("minimum_trade")?,
        cash_kept: reader.required("cash_kept")?,
        whole_shares: row.get("whole_shares"),
        targets: vec![first],
    })
}

fn target(reader: &Reader<'_>, row: &Row) -> Result<Target> {
    Ok(Target {
        name: row.get("name"),
        weight: reader.required("weight")?,
        band: reader.required("band")?,
        buy: row.get("buy_symbol"),
    })
}
