//! The ledger: rows applied in order to lots and cash.
//!
//! [`Entry`] is one row, [`Rules`] how a portfolio books, [`Ledger`] the state after some events. Valuation of that
//! state is in [`crate::valuation`]; nothing here reads a store.

mod actions;
mod apply;
mod audit;
mod book;
mod entry;
mod error;
mod events;
mod movements;
mod resumed;
mod state;
mod trade;
mod transfers;
mod warning;

pub use audit::cash_of;
pub use book::{Book, Lot, Pick};
pub use entry::{AccountId, Entry, Kind, LotMethod};
pub use error::LedgerError;
pub(crate) use events::Events;
pub(crate) use resumed::LedgerState;
pub use state::{Flow, IncomeItem, IncomeMode, Ledger, Realised, Rules, Term, Totals};
pub use warning::Warning;
