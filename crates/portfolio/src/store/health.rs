//! Health samples, and how fresh prices and rates are.

use jiff::Timestamp;
use jiff::civil::Date;

use super::Store;
use crate::error::{Error, Result};

impl Store {
    /// Keeps a sample and returns the statuses of the newest `recent` ones, this one first.
    pub async fn add_health_sample(
        &self,
        at: Timestamp,
        status: &str,
        checks: &str,
        recent: usize,
    ) -> Result<Vec<String>> {
        let insert = "INSERT INTO health_samples (checked_at, status, checks) VALUES (?1::timestamptz, ?2, ?3::jsonb)";
        self.sql(insert)
            .bind(at)
            .bind(status)
            .bind(checks)
            .execute()
            .await?;
        let limit = i64::try_from(recent).unwrap_or(i64::MAX);
        let select = "SELECT status FROM health_samples ORDER BY id DESC LIMIT ?1";
        let rows = self.sql(select).bind(limit).all().await?;
        Ok(rows.iter().map(|row| row.get("status")).collect())
    }

    /// The day of the newest price; none when there are no prices.
    pub async fn newest_price(&self) -> Result<Option<Date>> {
        self.newest("prices", "SELECT max(date)::text AS found FROM prices")
            .await
    }

    /// The day of the newest exchange rate; none when there are no rates.
    pub async fn newest_rate(&self) -> Result<Option<Date>> {
        self.newest("fx_rates", "SELECT max(date)::text AS found FROM fx_rates")
            .await
    }

    async fn newest(&self, table: &'static str, select: &'static str) -> Result<Option<Date>> {
        let text: Option<String> = self.sql(select).found().await?;
        let parse = |text: String| {
            text.parse().map_err(|_| Error::StoredValue {
                table,
                row: "newest".to_owned(),
                column: "date",
                value: text,
            })
        };
        text.map(parse).transpose()
    }
}
