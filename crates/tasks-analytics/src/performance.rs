//! `calculate_portfolio_performance`: a user's figures over any range.

use jiff::civil::Date;
use portfolio::analytics::{PerformanceData, PerformanceRequest, Period, Status, performance};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{CALCULATE_PORTFOLIO_PERFORMANCE, Spec};
use tasks::{Answer, FinanceTask, Reporter, Run, failure};
use worker::Outcome;

/// Figures of a user's portfolios, each on its own and joined.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CalculatePortfolioPerformance {
    /// Whose portfolios.
    pub user_id: i64,
    /// Days that the range looks back, unless `start` or `periods` say more.
    pub days_back: i64,
    /// Only this portfolio.
    pub portfolio_id: Option<i64>,
    /// The symbol to compare with.
    pub benchmark: Option<String>,
    /// Named periods instead of a range.
    pub periods: Option<Vec<String>>,
    /// The range's opening day.
    pub start: Option<Date>,
    /// The last day.
    pub end: Option<Date>,
    /// Lengths of rolling windows, in sessions.
    pub rolling: Vec<usize>,
}

impl FinanceTask for CalculatePortfolioPerformance {
    const SPEC: Spec = CALCULATE_PORTFOLIO_PERFORMANCE;
    type Data = PerformanceData;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<PerformanceData>, Outcome> {
        let store = run.store().await?;
        let request = self.request();
        let computed = Reporter::around(run.ctx(), async |reporter| {
            performance(store, &request, &mut |progress| reporter.report(progress)).await
        });
        let envelope = computed.await.map_err(failure)?;
        let status = envelope.status;
        let data = run.adopt(envelope);
        Ok(match status {
            Status::Empty => Answer::Empty(data),
            _ => Answer::Done(data),
        })
    }
}

impl CalculatePortfolioPerformance {
    fn request(self) -> PerformanceRequest {
        let periods = self.periods.as_ref();
        PerformanceRequest {
            portfolio_id: self.portfolio_id,
            days_back: self.days_back,
            benchmark: self.benchmark,
            periods: periods.map(|names| {
                names
                    .iter()
                    .filter_map(|name| Period::parse(name))
                    .collect()
            }),
            start: self.start,
            end: self.end,
            rolling: self.rolling,
            ..PerformanceRequest::new(self.user_id)
        }
    }
}
