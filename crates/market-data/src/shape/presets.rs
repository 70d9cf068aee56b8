//! The shapes that come with the program: what they are asked, and where their answers have what.

use super::{Fields, InfoFields, Layout, QuoteFields, RowFields, Shape};

/// A known kind of provider. URLs are templates; see [`super::fill`].
#[derive(Clone, Debug)]
pub(crate) struct Preset {
    pub(crate) shape: Shape,
    pub(crate) base_url: &'static str,
    pub(crate) daily: Option<&'static str>,
    pub(crate) quote: Option<&'static str>,
    pub(crate) info: Option<&'static str>,
    pub(crate) rates: Option<&'static str>,
    pub(crate) key: Option<KeyPlace>,
    /// What its keeper asks of callers without a contract.
    pub(crate) per_second: Option<f64>,
    pub(crate) per_day: Option<u32>,
}

/// Where the key travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyPlace {
    /// As this parameter of the query.
    Query(String),
    /// As this header, after these words.
    Header(String, String),
}

/// The preset of this name; `json` is the empty one, for the settings to fill.
pub(crate) fn preset(name: &str) -> Option<Preset> {
    match name {
        "alphavantage" => Some(alphavantage()),
        "tiingo" => Some(tiingo()),
        "yahoo" => Some(yahoo()),
        "stooq" => Some(stooq()),
        "fx_json" => Some(fx_json()),
        "json" => Some(empty(Layout::Rows)),
        _ => None,
    }
}

fn empty(layout: Layout) -> Preset {
    Preset {
        shape: Shape {
            layout,
            fields: Fields {
                quota_wait: 60,
                ..Fields::default()
            },
        },
        base_url: "",
        daily: None,
        quote: None,
        info: None,
        rates: None,
        key: None,
        per_second: None,
        per_day: None,
    }
}

fn alphavantage() -> Preset {
    let mut preset = empty(Layout::Rows);
    preset.base_url = "https://www.alphavantage.co";
    preset.daily =
        Some("/query?function=TIME_SERIES_DAILY_ADJUSTED&symbol={symbol}&outputsize=full");
    preset.quote = Some("/query?function=GLOBAL_QUOTE&symbol={symbol}");
    preset.info = Some("/query?function=OVERVIEW&symbol={symbol}");
    preset.key = Some(KeyPlace::Query("apikey".to_owned()));
    (preset.per_second, preset.per_day) = (Some(1.0), Some(25));
    let fields = &mut preset.shape.fields;
    fields.quota = texts(["Information", "Note"]);
    fields.missing = texts(["Error Message"]);
    fields.daily = RowFields {
        rows: "Time Series (Daily)".to_owned(),
        open: "1. open".to_owned(),
        high: "2. high".to_owned(),
        low: "3. low".to_owned(),
        close: "4. close".to_owned(),
        volume: "6. volume".to_owned(),
        dividend: "7. dividend amount".to_owned(),
        split: "8. split coefficient".to_owned(),
        ..RowFields::default()
    };
    fields.quote = quote(
        "Global Quote/05. price",
        "Global Quote/08. previous close",
        "Global Quote/07. latest trading day",
    );
    fields.info = InfoFields {
        name: "Name".to_owned(),
        class: "AssetType".to_owned(),
        sector: "Sector".to_owned(),
        country: "Country".to_owned(),
        currency: "Currency".to_owned(),
        exchange: "Exchange".to_owned(),
        ..InfoFields::default()
    };
    preset
}

fn tiingo() -> Preset {
    let mut preset = empty(Layout::Rows);
    preset.base_url = "https://api.tiingo.com";
    preset.daily = Some("/tiingo/daily/{symbol}/prices?startDate={from}&endDate={to}");
    preset.quote = Some("/iex/{symbol}");
    preset.info = Some("/tiingo/daily/{symbol}");
    preset.key = Some(KeyPlace::Header(
        "Authorization".to_owned(),
        "Token ".to_owned(),
    ));
    (preset.per_second, preset.per_day) = (Some(5.0), Some(1000));
    let fields = &mut preset.shape.fields;
    fields.daily = RowFields {
        date: "date".to_owned(),
        open: "open".to_owned(),
        high: "high".to_owned(),
        low: "low".to_owned(),
        close: "close".to_owned(),
        volume: "volume".to_owned(),
        dividend: "divCash".to_owned(),
        split: "splitFactor".to_owned(),
        ..RowFields::default()
    };
    fields.quote = quote("0/tngoLast", "0/prevClose", "0/timestamp");
    fields.info = InfoFields {
        name: "name".to_owned(),
        exchange: "exchangeCode".to_owned(),
        ..InfoFields::default()
    };
    preset
}

fn yahoo() -> Preset {
    let mut preset = empty(Layout::Chart);
    preset.base_url = "https://query1.finance.yahoo.com";
    // Up to tomorrow, because prices are adjusted for every split until then.
    preset.daily = Some(
        "/v8/finance/chart/{symbol}?period1={from_unix}&period2={tomorrow_unix}&interval=1d&events=div%2Csplits",
    );
    preset.quote = Some("/v8/finance/chart/{symbol}?range=1d&interval=1d");
    preset.info = preset.quote;
    preset.per_second = Some(2.0);
    let fields = &mut preset.shape.fields;
    fields.missing = texts(["chart/error/code"]);
    let meta = |name: &str| format!("chart/result/0/meta/{name}");
    fields.quote = quote(
        &meta("regularMarketPrice"),
        &meta("chartPreviousClose"),
        &meta("regularMarketTime"),
    );
    fields.info = InfoFields {
        name: meta("longName"),
        class: meta("instrumentType"),
        currency: meta("currency"),
        exchange: meta("exchangeName"),
        ..InfoFields::default()
    };
    preset
}

fn stooq() -> Preset {
    let mut preset = empty(Layout::Csv);
    preset.base_url = "https://stooq.com";
    preset.daily = Some("/q/d/l/?s={symbol_lower}.us&d1={from_compact}&d2={to_compact}&i=d");
    preset.key = Some(KeyPlace::Query("apikey".to_owned()));
    preset.shape.fields.quota_wait = 3600;
    preset.per_second = Some(1.0);
    preset
}

fn fx_json() -> Preset {
    let mut preset = empty(Layout::Rows);
    preset.base_url = "https://api.frankfurter.dev/v1";
    preset.rates = Some("/{from}..{to}?base={base}&symbols={quotes}");
    preset.shape.fields.rates = "rates".to_owned();
    preset.per_second = Some(2.0);
    preset
}

fn quote(price: &str, previous_close: &str, at: &str) -> QuoteFields {
    QuoteFields {
        price: price.to_owned(),
        previous_close: previous_close.to_owned(),
        at: at.to_owned(),
    }
}

fn texts<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}
