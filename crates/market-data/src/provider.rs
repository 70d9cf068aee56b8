//! The seam: who can be asked for market data.

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::model::{Daily, Fetched, Info, Limits, Quote, Rates, RatesRequest, Validators, Window};

/// A source of market data. A kind of data that it does not have is [`Error::Unsupported`].
#[async_trait]
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// Its name in settings and in the store's `source` columns.
    fn name(&self) -> &str;

    /// What it bears.
    fn limits(&self) -> Limits;

    /// Requests that are left today; none when they are not counted.
    fn left_today(&self) -> Option<u32> {
        None
    }

    /// Finished days and corporate actions of one asset. With the `known` validators of an earlier answer to the same
    /// question an unchanged answer may be told as such.
    async fn daily(
        &self,
        symbol: &str,
        window: Window,
        known: &Validators,
    ) -> Result<Fetched<Daily>>;

    /// The newest price of one asset.
    async fn quote(&self, symbol: &str) -> Result<Quote>;

    /// Facts of one asset.
    async fn info(&self, symbol: &str) -> Result<Info>;

    /// Exchange rates.
    async fn rates(&self, request: &RatesRequest, known: &Validators) -> Result<Fetched<Rates>> {
        let _ = (request, known);
        Err(Error::unsupported(self.name(), "exchange rates"))
    }
}

/// Longest symbol.
const LONGEST_SYMBOL: usize = 20;

/// Whether a text can be a ticker: what cannot is never put into a URL or a path.
pub fn is_symbol(text: &str) -> bool {
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let first = text.bytes().next().is_some_and(capital);
    first
        && text.len() <= LONGEST_SYMBOL
        && text
            .bytes()
            .all(|byte| capital(byte) || b".-=^".contains(&byte))
}
