//! The closes of one asset as bytes: the places of its prices, the first day, the gaps between days, and the prices as whole
//! numbers of their last place.

use std::sync::Arc;

use jiff::civil::{Date, date};

use crate::carried::Carried;
use crate::dates::{days_between, plus_days};
use crate::decimal::Decimal;

/// Days are counted from here.
const EPOCH: Date = date(1970, 1, 1);
/// Bytes before the gaps.
const HEAD: usize = 5;
/// Bytes of a gap and a price.
const EACH: usize = 10;
/// Prices that find room behind those of a block, so that a few of later days need no new place for all.
const SPARE: usize = 32;

/// A day as a number.
pub(super) fn number(day: Date) -> i32 {
    i32::try_from(days_between(EPOCH, day)).expect("the calendar has fewer than 2^31 days")
}

/// The day of a number.
pub(super) fn day(number: i32) -> Date {
    plus_days(EPOCH, i64::from(number))
}

/// `None` when a gap or a price is too large for its field.
pub(super) fn encode(closes: &Carried<Decimal>) -> Option<Vec<u8>> {
    let places = closes.iter().map(|(_, close)| close.places()).max();
    let places = places.unwrap_or_default();
    let first = closes.iter().next().map_or(EPOCH, |(date, _)| date);
    let mut bytes = Vec::with_capacity(HEAD + closes.len() * EACH);
    bytes.push(u8::try_from(places).ok()?);
    bytes.extend(number(first).to_le_bytes());
    let mut before = first;
    for (date, _) in closes.iter() {
        let gap = u16::try_from(days_between(before, date)).ok()?;
        bytes.extend(gap.to_le_bytes());
        before = date;
    }
    for (_, close) in closes.iter() {
        bytes.extend(close.units(places)?.to_le_bytes());
    }
    Some(bytes)
}

/// Reads blocks. Assets of one exchange share their days, which are made once for those that follow each other.
#[derive(Default)]
pub(super) struct Decoder {
    days: Vec<u8>,
    dates: Arc<Vec<Date>>,
}

impl Decoder {
    /// `None` when the bytes are no block.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Option<Carried<Decimal>> {
        let (places, rest) = bytes.split_first()?;
        let count = bytes.len().checked_sub(HEAD)? / EACH;
        let (days, prices) = rest.split_at_checked(4 + count * 2)?;
        if days != self.days {
            self.dates = Arc::new(dates(days)?);
            self.days = days.to_vec();
        }
        let (prices, rest) = prices.as_chunks::<8>();
        if prices.len() != count || !rest.is_empty() {
            return None;
        }
        let close = Decimal::from_units((*places).into())?;
        let mut closes = Vec::with_capacity(count + SPARE);
        for price in prices {
            closes.push(close(i64::from_le_bytes(*price))?);
        }
        Some(Carried::in_order(Arc::clone(&self.dates), closes))
    }
}

fn dates(days: &[u8]) -> Option<Vec<Date>> {
    let (first, gaps) = days.split_first_chunk::<4>()?;
    let mut date = day(i32::from_le_bytes(*first));
    let (gaps, _) = gaps.as_chunks::<2>();
    let dates = gaps.iter().map(|gap| {
        date = plus_days(date, u16::from_le_bytes(*gap).into());
        date
    });
    Some(dates.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::civil::date;

    use super::{Decoder, EACH, HEAD, encode};
    use crate::carried::Carried;
    use crate::decimal::Decimal;

    fn closes(pairs: &[(i16, &str)]) -> Carried<Decimal> {
        let pair = |(year, close): &(i16, &str)| (date(*year, 2, 28), close.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let mut decoder = Decoder::default();
        for pairs in [
            &[][..],
            &[(1890, "0.000000000001")],
            &[(1999, "12.5"), (2000, "1234567.8901"), (2170, "7")],
            &[(1999, "3"), (2000, "1"), (2170, "99999999999999999")],
        ] {
            let written = closes(pairs);
            let read = decoder.decode(&encode(&written).unwrap()).unwrap();
            assert!(read.iter().eq(written.iter()), "{pairs:?}");
        }
    }

    #[test]
    fn what_fits_no_field_is_not_written() {
        assert_eq!(encode(&closes(&[(1000, "1"), (2000, "1")])), None);
        assert_eq!(encode(&closes(&[(2000, "1000000000.0000000001")])), None);
    }

    #[test]
    fn bytes_that_are_no_block_are_refused() {
        let block = encode(&closes(&[(1999, "12.5"), (2000, "1.1")])).unwrap();
        for length in (0..block.len()).filter(|length| length % EACH != HEAD) {
            assert!(
                Decoder::default().decode(&block[..length]).is_none(),
                "{length}"
            );
        }
        let mut places = block.clone();
        places[0] = 13;
        assert!(Decoder::default().decode(&places).is_none());
    }
}
