//! When prices move: sessions, and the hours before and after them.

use calendar::Calendar;
use jiff::civil::{Date, time};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::model::Session;

/// Trading after the close lasts this long.
const LATE: SignedDuration = SignedDuration::from_hours(4);
/// Regular hours begin this long before the open.
const EARLY: SignedDuration = SignedDuration::from_mins(30);
/// A task may be delivered this much too late.
const GRACE: SignedDuration = SignedDuration::from_mins(10);

/// When a task may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// Always.
    Any,
    /// From half an hour before the open to the close.
    Market,
    /// From six o'clock to four hours after the close.
    Extended,
}

impl Hours {
    /// Whether a task may run at a time.
    pub(super) fn allow(self, calendar: &Calendar, now: Timestamp) -> bool {
        let Some((begin, open, close)) = today(calendar, now) else {
            return self == Hours::Any;
        };
        match self {
            Hours::Any => true,
            Hours::Market => open - EARLY <= now && now <= close + GRACE,
            Hours::Extended => begin <= now && now <= close + LATE + GRACE,
        }
    }
}

/// Where trading stands at a time.
pub(super) fn session(calendar: &Calendar, now: Timestamp) -> Session {
    match today(calendar, now) {
        Some((begin, open, _)) if begin <= now && now < open => Session::Pre,
        Some((_, open, close)) if open <= now && now <= close => Session::Regular,
        Some((_, _, close)) if close < now && now <= close + LATE => Session::Post,
        _ => Session::Closed,
    }
}

/// Six o'clock, open and close of the session that `now` belongs to; late hours may reach into the next day.
fn today(calendar: &Calendar, now: Timestamp) -> Option<(Timestamp, Timestamp, Timestamp)> {
    let date = now.to_zoned(calendar.zone().clone()).date();
    let of = |date: Date| {
        let session = calendar.session(date)?;
        let begin = calendar
            .zone()
            .to_timestamp(date.to_datetime(time(6, 0, 0, 0)))
            .ok()?;
        Some((begin.min(session.open), session.open, session.close))
    };
    let late = |(_, _, close): &(Timestamp, Timestamp, Timestamp)| now <= *close + LATE + GRACE;
    let yesterday = of(date.saturating_sub(1.day())).filter(late);
    yesterday.or_else(|| of(date))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn hours_follow_the_session() {
        let calendar = Calendar::named("XNYS").unwrap();
        // 2013-03-01 was a Friday; New York was five hours behind.
        for (time, market, extended, found) in [
            ("2013-03-01T10:59:00Z", false, false, Session::Closed),
            ("2013-03-01T11:00:00Z", false, true, Session::Pre),
            ("2013-03-01T14:00:00Z", true, true, Session::Pre),
            ("2013-03-01T14:30:00Z", true, true, Session::Regular),
            ("2013-03-01T21:05:00Z", true, true, Session::Post),
            ("2013-03-01T21:11:00Z", false, true, Session::Post),
            ("2013-03-02T01:05:00Z", false, true, Session::Closed),
            ("2013-03-02T01:11:00Z", false, false, Session::Closed),
            ("2013-03-02T15:00:00Z", false, false, Session::Closed),
            // The day after Thanksgiving closes at 13:00.
            ("2013-11-29T18:30:00Z", false, true, Session::Post),
            ("2013-11-29T22:30:00Z", false, false, Session::Closed),
        ] {
            let told = (
                Hours::Market.allow(&calendar, at(time)),
                Hours::Extended.allow(&calendar, at(time)),
                session(&calendar, at(time)),
            );
            assert_eq!(told, (market, extended, found), "{time}");
            assert!(Hours::Any.allow(&calendar, at(time)));
        }
    }
}
