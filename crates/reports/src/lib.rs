//! What people take away: exports as CSV and JSON, reports as PDF and HTML, and the files they become.
//!
//! * [`subject`]: one walked portfolio with its names; everything below is made of subjects.
//! * [`export`]: rows in the order of the export's columns, streamed as CSV or written as JSON.
//! * [`document`] and [`chart`]: a report as headings, figures, tables and drawings, without pages. [`contents`] writes them.
//! * [`pdf`] and [`html`]: a document on paper and in a browser. [`listing`]: one for programs and spreadsheets.
//! * [`mod@artefact`]: files written whole or not at all, with size and SHA-256. [`files`]: a user's portfolios to such files.
//!
//! Equal inputs give equal bytes: no clock and no randomness here. Figures come from `portfolio`.

pub mod artefact;
pub mod chart;
pub mod contents;
pub mod document;
mod error;
pub mod export;
pub mod files;
pub mod format;
pub mod html;
pub mod listing;
pub mod pdf;
pub mod subject;

pub use error::{Error, Result};
