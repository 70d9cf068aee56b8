//! Facts of assets: `symbol,name,class,sector,country,currency,exchange,isin,figi`.

use super::cells::Cells;
use super::table::{Columns, read};
use super::{BadRow, ImportReport, OnProgress, Source};
use crate::error::Result;
use crate::money::Currency;

const COLUMNS: Columns = Columns {
    required: &["symbol", "currency"],
    optional: &[
        "name", "class", "sector", "country", "exchange", "isin", "figi",
    ],
    open: false,
};

/// A row; what it does not tell is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetFacts {
    pub symbol: String,
    pub currency: Currency,
    pub name: Option<String>,
    pub class: Option<String>,
    pub sector: Option<String>,
    pub country: Option<String>,
    pub exchange: Option<String>,
    pub isin: Option<String>,
    pub figi: Option<String>,
}

/// Reads the facts of assets.
pub fn read_assets(
    file: Source<'_>,
    progress: OnProgress<'_>,
) -> Result<(Vec<AssetFacts>, ImportReport)> {
    let mut assets = Vec::new();
    let report = read(file, &COLUMNS, progress, |cells| {
        assets.push(facts(cells)?);
        Ok(())
    })?;
    Ok((assets, report))
}

fn facts(cells: &Cells<'_>) -> Result<AssetFacts, BadRow> {
    let text = |field: &str| Some(cells.text(field).to_owned()).filter(|text| !text.is_empty());
    Ok(AssetFacts {
        symbol: cells.required("symbol")?.to_uppercase(),
        currency: cells.currency("currency")?,
        name: text("name"),
        class: text("class"),
        sector: text("sector"),
        country: text("country"),
        exchange: text("exchange"),
        isin: text("isin"),
        figi: text("figi"),
    })
}
