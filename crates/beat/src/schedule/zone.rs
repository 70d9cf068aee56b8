//! Between wall clocks and instants. The zone data is the system's, with a copy in the program where there is none.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A zone by its IANA name, such as `Europe/London`.
///
/// # Errors
/// When there is no such zone.
pub fn find_zone(name: &str) -> Result<TimeZone, jiff::Error> {
    TimeZone::get(name)
}

/// When a wall clock shows this time: first and second coming, which are the same but for the repeated hour. A time
/// that is skipped comes as much later as the clocks skip.
pub(super) fn occurrences(zone: &TimeZone, wall: DateTime) -> impl Iterator<Item = Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(wall);
    [ambiguous.compatible(), ambiguous.later()]
        .into_iter()
        .flatten()
}

/// The first coming of a wall clock time, or the second when the first is not after `last`.
pub(super) fn occurrence_after(
    zone: &TimeZone,
    wall: DateTime,
    last: Timestamp,
) -> Option<Timestamp> {
    occurrences(zone, wall).find(|instant| *instant > last)
}
