//! URL templates: `{symbol}`, `{from}` and the like, filled with what is safe in a URL.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use url::form_urlencoded::byte_serialize;

use crate::model::Window;

/// What a template's blanks are filled with; those that a request does not have stay empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blanks {
    pub(crate) symbol: String,
    pub(crate) window: Option<Window>,
    pub(crate) base: String,
    pub(crate) quotes: String,
}

/// The template with every blank filled.
pub(crate) fn fill(template: &str, blanks: &Blanks) -> String {
    let (from, to) = match blanks.window {
        Some(Window { from, to }) => (from.to_string(), to.to_string()),
        None => Default::default(),
    };
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let unix = |date: Option<Date>| {
        date.map(|date| midnight(date).to_string())
            .unwrap_or_default()
    };
    let values = [
        ("{symbol}", safe(&blanks.symbol)),
        ("{symbol_lower}", safe(&blanks.symbol.to_lowercase())),
        ("{from_compact}", from.replace('-', "")),
        ("{to_compact}", to.replace('-', "")),
        ("{from}", from),
        ("{to}", to),
        ("{from_unix}", unix(blanks.window.map(|window| window.from))),
        ("{tomorrow_unix}", unix(Some(today.saturating_add(1.day())))),
        ("{base}", safe(&blanks.base)),
        ("{quotes}", blanks.quotes.clone()),
    ];
    values
        .iter()
        .fold(template.to_owned(), |text, (blank, value)| {
            text.replace(blank, value)
        })
}

fn safe(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

fn midnight(date: Date) -> i64 {
    let zoned = date.to_zoned(TimeZone::UTC);
    zoned
        .map(|zoned| zoned.timestamp().as_second())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_filled_with_what_is_safe() {
        let blanks = Blanks {
            symbol: "^GSPC".to_owned(),
            window: Some(Window {
                from: "2005-02-23".parse().unwrap(),
                to: "2005-03-02".parse().unwrap(),
            }),
            ..Blanks::default()
        };
        assert_eq!(
            fill("/{symbol}?a={from}&b={to_compact}&c={from_unix}", &blanks),
            "/%5EGSPC?a=2005-02-23&b=20050302&c=1109116800"
        );
    }
}
