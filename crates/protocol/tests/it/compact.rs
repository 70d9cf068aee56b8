//! Compact records: the same comes back, anything else is refused.

use proptest::prelude::*;
use protocol::{DecodeErrorKind, EncodeError, compact};

type Record = (String, Vec<u64>, Option<bool>);

proptest! {
    #[test]
    fn a_record_comes_back_the_same(text in ".{0,20}", numbers in prop::collection::vec(any::<u64>(), 0..8), flag in any::<Option<bool>>()) {
        let record: Record = (text, numbers, flag);
        let bytes = compact::encode::<4_096, _>(3, &record).unwrap();
        prop_assert_eq!(bytes[0], 3);
        prop_assert_eq!(compact::decode::<4_096, Record>(3, &bytes).unwrap(), record);
    }
}

#[test]
fn another_format_a_tail_and_a_cut_are_refused() {
    let bytes = compact::encode::<64, _>(1, &7_u64).unwrap();
    assert!(
        compact::decode::<64, u64>(2, &bytes)
            .unwrap_err()
            .detail()
            .contains("format 1, expected 2")
    );
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(compact::decode::<64, u64>(1, &longer).is_err());
    assert!(compact::decode::<64, u64>(1, &bytes[..5]).is_err());
    assert!(compact::decode::<64, u64>(1, b"").is_err());
}

#[test]
fn the_bound_holds_both_ways() {
    let large = vec![0_u8; 100];
    assert!(matches!(
        compact::encode::<64, _>(1, &large),
        Err(EncodeError::Compact { .. })
    ));
    let error = compact::decode::<64, Vec<u8>>(1, &[1; 100]).unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::TooLarge);
    let forged = [&[1][..], &u64::MAX.to_le_bytes()].concat();
    assert!(compact::decode::<64, Vec<u8>>(1, &forged).is_err());
}
