//! Points in time as Django writes them: PostgreSQL with their offset, SQLite as UTC without one.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// As both servers read it, in UTC to the microsecond.
pub(crate) fn text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

/// What stands in a column.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let naive = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse()
        .ok()
        .or_else(|| naive().map(|zoned| zoned.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::{parse, text};

    #[test]
    fn both_servers_texts_are_read() {
        let at = "2026-11-20T17:04:11.696511Z".parse().unwrap();
        assert_eq!(parse("2026-11-20 17:04:11.696511+00"), Some(at));
        assert_eq!(parse("2026-11-20 17:04:11.696511"), Some(at));
        assert_eq!(parse(&text(at)), Some(at));
        assert_eq!(
            parse("2026-11-20 17:04:11"),
            "2026-11-20T17:04:11Z".parse().ok()
        );
        for nonsense in ["", "soon", "infinity", "2026-02-30 00:00:00"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
