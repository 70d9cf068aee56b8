//! Rust types through values: exact types survive, errors name the field.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil};
use protocol::{Codec, DecodeErrorKind, Value, from_value, to_value, typed};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::vectors::limits;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Trade {
    #[serde(with = "typed::decimal")]
    price: Decimal,
    #[serde(with = "typed::decimal")]
    fee: Option<Decimal>,
    #[serde(with = "typed::datetime")]
    at: Timestamp,
    #[serde(with = "typed::datetime")]
    wall: civil::DateTime,
    #[serde(with = "typed::date")]
    day: civil::Date,
    #[serde(with = "typed::time")]
    clock: Option<civil::Time>,
    #[serde(with = "typed::uuid")]
    id: Uuid,
    #[serde(with = "typed::bytes")]
    raw: Vec<u8>,
    side: Side,
    counts: BTreeMap<u8, i64>,
    big: u128,
    note: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Side {
    Buy,
    Limit { at: f64 },
    Pair(i32, i32),
    Named(String),
}

fn trade(side: Side) -> Trade {
    Trade {
        price: "123456789012345678.1234567890".parse().unwrap(),
        fee: None,
        at: "2031-02-03T04:05:06.000007Z".parse().unwrap(),
        wall: civil::date(2031, 2, 3).at(4, 5, 6, 0),
        day: civil::date(2031, 2, 3),
        clock: Some(civil::time(1, 2, 3, 4_000)),
        id: Uuid::from_u128(7),
        raw: vec![0, 255],
        side,
        counts: BTreeMap::from([(1, -1), (200, 2)]),
        big: u128::MAX,
        note: None,
    }
}

#[test]
fn a_struct_goes_out_typed_and_comes_back_the_same() {
    for side in [
        Side::Buy,
        Side::Limit { at: 1.5 },
        Side::Pair(1, 2),
        Side::Named("x".to_owned()),
    ] {
        let trade = trade(side);
        let value = to_value(&trade).unwrap();
        let wire = Codec::Json
            .decode(&Codec::Json.encode(&value).unwrap(), &limits())
            .unwrap();
        assert_eq!(wire, value);
        assert_eq!(from_value::<Trade>(wire).unwrap(), trade);
    }
}

#[test]
fn the_typed_form_is_kombus() {
    let value = to_value(&trade(Side::Buy)).unwrap();
    let text = |key: &str| {
        String::from_utf8(Codec::Json.encode(value.get(key).unwrap()).unwrap()).unwrap()
    };
    assert_eq!(
        text("price"),
        "{\"__type__\": \"decimal\", \"__value__\": \"123456789012345678.1234567890\"}"
    );
    assert_eq!(
        text("at"),
        "{\"__type__\": \"datetime\", \"__value__\": \"2031-02-03T04:05:06.000007+00:00\"}"
    );
    assert_eq!(
        text("wall"),
        "{\"__type__\": \"datetime\", \"__value__\": \"2031-02-03T04:05:06\"}"
    );
    assert_eq!(
        text("clock"),
        "{\"__type__\": \"time\", \"__value__\": \"01:02:03.000004\"}"
    );
    assert_eq!(
        text("raw"),
        "{\"__type__\": \"base64\", \"__value__\": \"AP8=\"}"
    );
    assert_eq!(text("fee"), "null");
    assert_eq!(text("big"), u128::MAX.to_string());
}

#[test]
fn plain_fields_read_typed_values_too() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Plain {
        price: Decimal,
        at: Timestamp,
        day: String,
        id: Uuid,
        raw: Vec<u8>,
    }
    let value = to_value(&trade(Side::Buy)).unwrap();
    let plain: Plain = from_value(value).unwrap();
    let trade = trade(Side::Buy);
    assert_eq!(
        (plain.price, plain.at, plain.id, plain.raw),
        (trade.price, trade.at, trade.id, trade.raw)
    );
    assert_eq!(plain.day, "2031-02-03");
}

#[test]
fn plain_texts_are_read_into_typed_fields() {
    #[derive(Debug, Deserialize)]
    struct One {
        #[serde(with = "typed::datetime")]
        at: Timestamp,
    }
    let naive = Codec::Json
        .decode(b"{\"at\": \"2031-02-03T04:05:06\"}", &limits())
        .unwrap();
    let one: One = from_value(naive).unwrap();
    assert_eq!(one.at.to_string(), "2031-02-03T04:05:06Z");
}

#[test]
fn what_cannot_be_held_exactly_is_an_error_with_its_field() {
    let refused = |key: &str, json: &str| {
        let mut value = to_value(&trade(Side::Buy)).unwrap();
        let new = Codec::Json.decode(json.as_bytes(), &limits()).unwrap();
        let Value::Map(map) = &mut value else {
            panic!("a struct is a map")
        };
        map.insert(key, new);
        let error = from_value::<Trade>(value).unwrap_err();
        assert!(error.path().starts_with(key), "{error}");
        error.kind()
    };
    let long =
        "{\"__type__\": \"decimal\", \"__value__\": \"0.12345678901234567890123456789012345\"}";
    assert_eq!(refused("price", long), DecodeErrorKind::Type);
    refused("price", "1.5");
    refused(
        "wall",
        "{\"__type__\": \"datetime\", \"__value__\": \"2031-02-03T04:05:06+01:00\"}",
    );
    refused("counts", "{\"300\": 1}");
    refused("counts", "{\"1\": 1.5}");
    refused("side", "{\"Pair\": [1]}");
    refused("side", "\"Sell\"");
    refused("big", "1e3");
    refused("raw", "\"text\"");
    refused("note", "5");
    assert_eq!(
        refused("big", &format!("{}0", u128::MAX)),
        DecodeErrorKind::Value
    );
}

#[test]
fn a_missing_field_is_named() {
    let error = from_value::<Trade>(Value::Map(protocol::Map::new())).unwrap_err();
    assert_eq!(
        (error.kind(), error.path()),
        (DecodeErrorKind::Missing, "price")
    );
}

#[test]
fn map_keys_become_text_as_in_python_and_must_stay_apart() {
    let value = to_value(&BTreeMap::from([(true, 1), (false, 0)])).unwrap();
    assert_eq!(
        Codec::Json.encode(&value).unwrap(),
        b"{\"false\": 0, \"true\": 1}"
    );
    let error = to_value(&BTreeMap::from([(vec![1], 1)])).unwrap_err();
    assert!(
        error.to_string().contains("a map key must be text"),
        "{error}"
    );
}

#[test]
fn a_marker_of_the_users_own_cannot_be_written() {
    let map = protocol::Map::from_iter([("__type__", "x"), ("__value__", "y")]);
    let value = Value::List(vec![Value::Map(map)]);
    let error = Codec::Json.encode(&value).unwrap_err();
    assert!(
        error.to_string().starts_with("[0]: json cannot carry"),
        "{error}"
    );
}
