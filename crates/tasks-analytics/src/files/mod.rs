//! The tasks whose results are files, and [`Filing`], the way in which any task keeps a file.

mod export_dashboard_data;
mod filing;
mod generate_portfolio_report;

pub use export_dashboard_data::{ExportDashboardData, ExportedData};
pub use filing::{Filed, Filing, Label};
pub use generate_portfolio_report::{GeneratePortfolioReport, GeneratedReports};
