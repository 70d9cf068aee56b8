//! Many portfolios at once: prices in columns, one pass over them for all days of all portfolios.
//!
//! A ledger is applied exactly, but valued exactly only where a period opens and where it ends ([`Outline`]). What lies
//! between is held in pieces of constant quantity, and the value series is a sum of price columns ([`Columns`]) times
//! quantities, in floats, several columns at a time. Money in results is that of the
//! outline; only returns, and what is made of them, come from floats. Where floats would not do (small or negative
//! equity, an asset without a price), [`Valued::is_sound`] says so, and the exact walk of [`crate::series`] is the way.
//!
//! What an applied ledger has come to can be kept (`kept`), so that only prices are taken anew for later days.

mod column;
mod columns;
mod earned;
mod kept;
mod kernel;
mod outline;
mod pieces;
mod span;
mod valued;

pub use columns::Columns;
pub(crate) use kept::KeptOutline;
pub use outline::Outline;
pub use span::Span;
pub use valued::{Valued, value};
