//! Performance on demand: one user's portfolios over any range or named periods, each on its own and joined.
//!
//! Nothing is written but a cache entry whose key holds the hash of everything that the answer depends on.

mod combined;
mod request;
mod run;

pub use request::{
    NamedFigures, Performance, PerformanceData, PerformanceRequest, PortfolioPerformance,
};
pub use run::performance;
