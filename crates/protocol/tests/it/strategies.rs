//! Random values, one strategy per codec: each makes what the codec can carry.

use jiff::Timestamp;
use proptest::prelude::*;
use protocol::{BigInt, Date, DateTime, Decimal, Map, Time, Value};

fn scalar() -> BoxedStrategy<Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |x| !x.is_nan())
            .prop_map(Value::Float),
        ".{0,12}".prop_map(Value::Str),
        "[a-z0-9:+. _-]{0,8}".prop_map(Value::Str),
        prop::collection::vec(any::<u8>(), 0..12).prop_map(Value::Bytes),
    ]
    .boxed()
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    let range = -60_000_000_000_000_000_i64..250_000_000_000_000_000;
    range.prop_map(|micros| Timestamp::from_microsecond(micros).unwrap())
}

fn day() -> impl Strategy<Value = Value> {
    let offset = prop_oneof![Just(""), Just("+00:00"), Just("-04:00"), Just("+05:30")];
    let stamped = (timestamp(), offset).prop_map(|(at, offset)| {
        let text = DateTime::from(jiff::tz::TimeZone::UTC.to_datetime(at)).into_string();
        Value::DateTime(DateTime::parse(text + offset).unwrap())
    });
    let date = timestamp().prop_map(|at| {
        let date = jiff::tz::TimeZone::UTC.to_datetime(at).date();
        Value::Date(Date::from(date))
    });
    prop_oneof![stamped, date]
}

fn exact() -> impl Strategy<Value = Value> {
    let big =
        "-?[1-9][0-9]{20,40}".prop_map(|digits| Value::BigInt(BigInt::parse(&digits).unwrap()));
    let decimal = "-?[0-9]{1,20}(\\.[0-9]{1,20})?(E[+-][0-9]{1,2})?";
    let time = (0..24_i8, 0..60_i8, 0..60_i8, 0..1_000_000_i32);
    prop_oneof![
        big,
        decimal.prop_map(|text| Value::Decimal(Decimal::parse(text).unwrap())),
        any::<u128>().prop_map(|bits| Value::Uuid(uuid::Uuid::from_u128(bits))),
        time.prop_map(|(h, m, s, us)| {
            Value::Time(Time::from(jiff::civil::time(h, m, s, us * 1_000)))
        }),
    ]
}

fn nested(leaf: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    leaf.prop_recursive(4, 40, 6, |inner| {
        let map = prop::collection::vec((".{0,8}", inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::List),
            map.prop_map(|entries| Value::Map(Map::from_iter(entries))),
        ]
    })
    .boxed()
}

/// Everything JSON carries: all there is.
pub(crate) fn json_value() -> BoxedStrategy<Value> {
    nested(prop_oneof![3 => scalar(), 1 => day(), 1 => exact()].boxed())
}

/// No times, decimals, UUIDs and integers above 64 bits.
pub(crate) fn msgpack_value() -> BoxedStrategy<Value> {
    nested(scalar())
}

/// No decimals, UUIDs and times of day.
pub(crate) fn yaml_value() -> BoxedStrategy<Value> {
    nested(prop_oneof![3 => scalar(), 1 => day()].boxed())
}

/// A map with a few entries under harmless names.
pub(crate) fn json_map() -> impl Strategy<Value = Map> {
    prop::collection::vec(("x-[a-z]{1,6}", json_value()), 0..4).prop_map(Map::from_iter)
}
