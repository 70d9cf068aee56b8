//! The embedded tables of exceptions and regular hours.

use jiff::civil::{Date, Time, date, time};
use jiff::tz::TimeZone;

use crate::{Calendar, CalendarError, Exception, Result, unknown};

/// The first day that the tables describe.
pub(super) const FIRST: Date = date(2000, 1, 3);
/// The last day that the tables describe.
pub(super) const LAST: Date = date(2027, 11, 19);

struct Exchange {
    mic: &'static str,
    zone: &'static str,
    open: Time,
    close: Time,
    exceptions: &'static str,
}

const EXCHANGES: [Exchange; 4] = [
    Exchange {
        mic: "XNYS",
        zone: "America/New_York",
        open: time(9, 30, 0, 0),
        close: time(16, 0, 0, 0),
        exceptions: include_str!("../data/calendars/XNYS.csv"),
    },
    Exchange {
        mic: "XLON",
        zone: "Europe/London",
        open: time(8, 0, 0, 0),
        close: time(16, 30, 0, 0),
        exceptions: include_str!("../data/calendars/XLON.csv"),
    },
    Exchange {
        mic: "XETR",
        zone: "Europe/Berlin",
        open: time(9, 0, 0, 0),
        close: time(17, 30, 0, 0),
        exceptions: include_str!("../data/calendars/XETR.csv"),
    },
    Exchange {
        mic: "XKLS",
        zone: "Asia/Kuala_Lumpur",
        open: time(9, 0, 0, 0),
        close: time(17, 0, 0, 0),
        exceptions: include_str!("../data/calendars/XKLS.csv"),
    },
];

pub(super) fn load(mic: &str) -> Result<Calendar> {
    let exchange = EXCHANGES
        .iter()
        .find(|exchange| exchange.mic == mic)
        .ok_or_else(|| unknown(mic))?;
    let zone = TimeZone::get(exchange.zone).map_err(|_| unknown(mic))?;
    let exceptions = parse(mic, exchange.exceptions)?.into_iter().collect();
    Ok(Calendar {
        mic: mic.to_owned(),
        zone,
        open: exchange.open,
        close: exchange.close,
        exceptions,
        always: false,
    })
}

/// Rows of `date,kind,open_local,close_local`.
pub(super) fn parse(mic: &str, text: &str) -> Result<Vec<(Date, Exception)>> {
    text.lines()
        .enumerate()
        .skip(1)
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            row(line).ok_or_else(|| CalendarError::BadRow {
                mic: mic.to_owned(),
                line: index + 1,
                text: line.to_owned(),
            })
        })
        .collect()
}

fn row(line: &str) -> Option<(Date, Exception)> {
    let mut cells = line.trim().split(',');
    let day: Date = cells.next()?.parse().ok()?;
    let exception = match cells.next()? {
        "holiday" => Exception::Holiday,
        "special" | "weekend_session" => {
            Exception::Hours(clock(cells.next()?)?, clock(cells.next()?)?)
        }
        _ => return None,
    };
    Some((day, exception))
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}
