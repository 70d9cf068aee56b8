//! The shapes of providers' answers, and where each shape is asked. Texts in, domain types out: no network here.

mod csv;
mod fields;
mod presets;
mod rates;
mod rows;
mod template;
mod yahoo;

use std::time::Duration;

use crate::json::Json;
use crate::model::{Daily, Info, Quote, Rates, RatesRequest, Window};

pub(crate) use fields::{Fields, InfoFields, QuoteFields, RowFields};
pub(crate) use presets::{KeyPlace, Preset, preset};
pub(crate) use template::{Blanks, fill};

/// Why an answer with status 200 is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It says that there is no such thing.
    NotFound,
    /// It says that the quota is used up; and the time to wait.
    Quota(String, Duration),
    /// It is not of the promised shape.
    Bad(String),
}

impl From<String> for Refusal {
    fn from(problem: String) -> Refusal {
        Refusal::Bad(problem)
    }
}

/// How daily answers are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// JSON with one object for each day, as [`Fields`] tells.
    Rows,
    /// Yahoo's chart: columns, adjusted for splits.
    Chart,
    /// CSV with a header, adjusted.
    Csv,
}

/// What an answer looks like.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) layout: Layout,
    pub(crate) fields: Fields,
}

impl Shape {
    /// Reads daily bars.
    pub(crate) fn daily(&self, body: &str, window: Window) -> Result<Daily, Refusal> {
        match self.layout {
            Layout::Csv => csv::daily(body, window, self.fields.quota_wait()),
            Layout::Rows => rows::daily(self.document(body)?, &self.fields, window),
            Layout::Chart => Ok(yahoo::daily(self.document(body)?, window)?),
        }
    }

    /// Reads a quote.
    pub(crate) fn quote(&self, body: &str) -> Result<Quote, Refusal> {
        let document = self.document(body)?;
        let fields = &self.fields.quote;
        let price = document.decimal_at(&fields.price)?;
        let price = price.filter(|price| price.is_positive());
        let at = document.text_at(&fields.at);
        let quoted_at = at.and_then(|text| fields::instant(&text));
        Ok(Quote {
            price: price.ok_or(Refusal::NotFound)?,
            previous_close: document.decimal_at(&fields.previous_close)?,
            quoted_at: quoted_at.ok_or_else(|| format!("no time at {:?}", fields.at))?,
        })
    }

    /// Reads facts; an answer without any of them knows no such asset.
    pub(crate) fn info(&self, body: &str) -> Result<Info, Refusal> {
        let info = self.fields.info.read(self.document(body)?);
        if info == Info::default() {
            Err(Refusal::NotFound)
        } else {
            Ok(info)
        }
    }

    /// Reads exchange rates.
    pub(crate) fn rates(&self, body: &str, request: &RatesRequest) -> Result<Rates, Refusal> {
        rates::read(self.document(body)?, &self.fields.rates, request)
    }

    /// The document, unless it is the provider's way of saying no.
    fn document<'d>(&self, body: &'d str) -> Result<Json<'d>, Refusal> {
        let document = Json::document(body)?;
        let says = |names: &[String]| names.iter().find_map(|name| document.text_at(name));
        if let Some(text) = says(&self.fields.quota) {
            return Err(Refusal::Quota(text, self.fields.quota_wait()));
        }
        if says(&self.fields.missing).is_some() {
            return Err(Refusal::NotFound);
        }
        Ok(document)
    }
}
