//! Market data: who can be asked for it, and what is asked how.
//!
//! * [`Provider`]: the seam. [`Window`], [`Daily`], [`Quote`], [`Info`], [`Rates`]: what goes through it.
//! * `http`: any provider over HTTP: limits, tries, circuit, conditions, bounds. `shape`: what its answers look like.
//! * `folder`, `simulator`: the same from files, and from nowhere. [`Providers`]: all of an installation's, by its settings.
//! * [`Updater`]: asks them and writes what they answer into the store.
//! * `clean`, `number`, `json`: a provider's rows made exact and storable.
//!
//! There is no task queue here.

mod clean;
mod error;
mod folder;
mod http;
mod json;
mod model;
mod number;
mod provider;
mod providers;
mod shape;
mod simulator;
mod update;

pub use error::{Error, Result};
pub use model::{
    Daily, Fetched, Info, Limits, Quote, Rates, RatesRequest, Session, Validators, Window,
};
pub use provider::{Provider, is_symbol};
pub use providers::Providers;
pub use update::{
    FactsReport, FetchReport, FetchRequest, Gap, GapReport, Hours, Issue, OnProgress, QuoteReport,
    QuoteRequest, Quotes, Stop, SymbolReport, SyncReport, SyncRequest, Updater,
};
