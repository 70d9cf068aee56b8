//! A folder of files as a provider: `prices/SYMBOL.csv` or `.parquet` (or beside each other without `prices/`),
//! `corporate_actions.csv`, `fx/*.csv`, `assets.csv`. A file's size and time tell whether it has changed.

mod parquet;
mod stamp;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use portfolio::import::{
    AssetFacts, Source, read_actions, read_assets, read_file, read_prices, read_rates,
};
use portfolio::store::PriceRow;

use crate::error::{Error, Result};
use crate::model::{Daily, Fetched, Info, Limits, Quote, Rates, RatesRequest, Validators, Window};
use crate::provider::{Provider, is_symbol};
use stamp::stamp;

/// The provider's name.
pub(crate) const NAME: &str = "folder";

/// The provider on a folder; files are read when they are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(crate) fn new(root: PathBuf) -> Folder {
        Folder { root }
    }

    /// The symbol's price file.
    fn prices(&self, symbol: &str) -> Result<PathBuf> {
        if !is_symbol(symbol) {
            return Err(Error::not_found(NAME, symbol));
        }
        let places = [self.root.join("prices"), self.root.clone()];
        let files = places.iter().flat_map(|place| {
            ["csv", "parquet"].map(|kind| place.join(format!("{symbol}.{kind}")))
        });
        files
            .into_iter()
            .find(|file| file.is_file())
            .ok_or_else(|| self.missing(symbol, &format!("{symbol}.csv or {symbol}.parquet")))
    }

    /// The error that names the file and the folder that are looked for.
    fn missing(&self, symbol: &str, file: &str) -> Error {
        let root = self.root.display();
        Error::NotFound {
            provider: NAME.to_owned(),
            what: symbol.to_owned(),
            looked: format!(": there is no {file} for it in {root} (celeriac_market_data_folder)"),
        }
    }

    fn daily_now(
        &self,
        symbol: &str,
        window: Window,
        known: &Validators,
    ) -> Result<Fetched<Daily>> {
        let prices = self.prices(symbol)?;
        let actions = self.root.join("corporate_actions.csv");
        let validators = stamp(&[&prices, &actions]);
        if *known == validators {
            return Ok(Fetched::NotModified);
        }
        let (bars, dropped) = bars(&prices, window)?;
        let daily = Daily {
            bars,
            actions: actions_of(&actions, symbol, window)?,
            adjusted: false,
            dropped,
        };
        Ok(Fetched::New(daily, validators))
    }

    fn quote_now(&self, symbol: &str) -> Result<Quote> {
        let file = self.prices(symbol)?;
        let always = Window {
            from: jiff::civil::Date::MIN,
            to: jiff::civil::Date::MAX,
        };
        let (bars, _) = bars(&file, always)?;
        let last = bars.last().ok_or_else(|| Error::not_found(NAME, symbol))?;
        // A file says the day, not the time: the price holds at that day's end.
        let end = last.date.saturating_add(1.day()).to_zoned(TimeZone::UTC);
        let end = end.map_or(Timestamp::MAX, |end| end.timestamp());
        Ok(Quote {
            price: last.close,
            previous_close: bars.iter().rev().nth(1).map(|bar| bar.close),
            quoted_at: end.min(Timestamp::now()),
        })
    }

    fn info_now(&self, symbol: &str) -> Result<Info> {
        let file = self.root.join("assets.csv");
        let unknown = || self.missing(symbol, "row of assets.csv");
        if !file.is_file() {
            return Err(unknown());
        }
        let (assets, _) = read(&file, |source| read_assets(source, &mut |_| {}))?;
        let facts = assets.into_iter().find(|asset| asset.symbol == symbol);
        facts.map(info).ok_or_else(unknown)
    }

    fn rates_now(&self, request: &RatesRequest, known: &Validators) -> Result<Fetched<Rates>> {
        let files = csv_files(&self.root.join("fx"));
        if files.is_empty() {
            return Err(Error::unsupported(
                NAME,
                "exchange rates: there is no fx/*.csv",
            ));
        }
        let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let validators = stamp(&paths);
        if *known == validators {
            return Ok(Fetched::NotModified);
        }
        let mut rates = Rates::new();
        for file in &files {
            rates.extend(read(file, |source| read_rates(source, &mut |_| {}))?.0);
        }
        rates.retain(|rate| {
            request.window.contains(rate.date) && request.quotes.contains(&rate.currency)
        });
        rates.sort_by_key(|rate| (rate.date, rate.currency));
        Ok(Fetched::New(rates, validators))
    }

    /// Reads on a thread of its own; files may be large.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Folder) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let folder = self.clone();
        let read = tokio::task::spawn_blocking(move || read(&folder)).await;
        // The Parquet reader may panic at a damaged file.
        read.unwrap_or_else(|_| Err(Error::bad_payload(NAME, "a file is damaged")))
    }
}

/// A price file's days within the window, and how many rows could not be used.
fn bars(file: &Path, window: Window) -> Result<(Vec<PriceRow>, usize)> {
    if file.extension().is_some_and(|kind| kind == "parquet") {
        return parquet::bars(file, window);
    }
    let keep = |date| window.contains(date);
    let (rows, report) = read(file, |source| read_prices(source, keep, &mut |_| {}))?;
    if rows.is_empty() && report.bad > 0 && report.bad == report.rows {
        let problem = format!("{}: {}", file.display(), report.bad_rows[0]);
        return Err(Error::bad_payload(NAME, problem));
    }
    Ok((rows, usize::try_from(report.bad).unwrap_or(usize::MAX)))
}

fn actions_of(file: &Path, symbol: &str, window: Window) -> Result<Vec<portfolio::market::Action>> {
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let (mut actions, _) = read(file, |source| read_actions(source, symbol, &mut |_| {}))?;
    actions.retain(|action| window.contains(action.ex_date));
    actions.sort_by_key(|action| action.ex_date);
    Ok(actions)
}

/// A file through one of the domain's readers.
fn read<T>(file: &Path, reader: impl FnOnce(Source<'_>) -> portfolio::Result<T>) -> Result<T> {
    let wrong = |error: portfolio::Error| Error::bad_payload(NAME, error.to_string());
    let bytes = read_file(file).map_err(wrong)?;
    let name = file.display().to_string();
    let source = Source {
        name: &name,
        bytes: &bytes,
        now: Timestamp::now(),
    };
    reader(source).map_err(wrong)
}

fn csv_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "csv"))
        .collect();
    files.sort();
    files
}

fn info(facts: AssetFacts) -> Info {
    Info {
        name: facts.name,
        class: facts.class,
        sector: facts.sector,
        country: facts.country,
        currency: Some(facts.currency),
        exchange: facts.exchange,
        isin: facts.isin,
        figi: facts.figi,
    }
}

#[async_trait]
impl Provider for Folder {
    fn name(&self) -> &str {
        NAME
    }

    fn limits(&self) -> Limits {
        Limits::default()
    }

    async fn daily(
        &self,
        symbol: &str,
        window: Window,
        known: &Validators,
    ) -> Result<Fetched<Daily>> {
        let (symbol, known) = (symbol.to_owned(), known.clone());
        self.reading(move |folder| folder.daily_now(&symbol, window, &known))
            .await
    }

    async fn quote(&self, symbol: &str) -> Result<Quote> {
        let symbol = symbol.to_owned();
        self.reading(move |folder| folder.quote_now(&symbol)).await
    }

    async fn info(&self, symbol: &str) -> Result<Info> {
        let symbol = symbol.to_owned();
        self.reading(move |folder| folder.info_now(&symbol)).await
    }

    async fn rates(&self, request: &RatesRequest, known: &Validators) -> Result<Fetched<Rates>> {
        let (request, known) = (request.clone(), known.clone());
        self.reading(move |folder| folder.rates_now(&request, &known))
            .await
    }
}
