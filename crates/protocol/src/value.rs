//! The dynamic value: everything a task argument, result or header can hold on the wire.
//!
//! Nothing is changed silently: big integers keep their digits, decimals and times their exact
//! text. How a value looks in bytes is the business of [`crate::codec`].

mod de;
mod map;
mod number;
mod ser;
mod tag;
mod text;

use uuid::Uuid;

pub use de::from_value;
pub use map::{IntoIter as MapIntoIter, Iter as MapIter, Key, Map};
pub use number::BigInt;
pub(crate) use number::looks_like_integer;
pub use ser::to_value;
pub(crate) use tag::{DATE, DATETIME, DECIMAL, TIME, VALUE};
pub use text::{Date, DateTime, Decimal, Time, timestamp_text};

/// One value of the wire, with the types Celery's JSON knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// `None`.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// An integer that does not fit [`Value::Int`].
    BigInt(BigInt),
    /// A double; NaN and the infinities are allowed.
    Float(f64),
    /// A text.
    Str(String),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// A date and time, with or without offset.
    DateTime(DateTime),
    /// A date.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// An exact decimal.
    Decimal(Decimal),
    /// A UUID.
    Uuid(Uuid),
    /// A list; Python tuples arrive as lists.
    List(Vec<Value>),
    /// A map with text keys, in insertion order.
    Map(Map),
}

impl Value {
    /// What the value is, in words for error messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::BigInt(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Str(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::DateTime(_) => "a datetime",
            Self::Date(_) => "a date",
            Self::Time(_) => "a time",
            Self::Decimal(_) => "a decimal",
            Self::Uuid(_) => "a UUID",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// True for [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if it is one and fits 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The number as a double, if it is an integer of 64 bits or a float.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The entry `key` of a map; `None` when absent or not a map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map().and_then(|map| map.get(key))
    }

    /// A number written as an integer when it is one, as a float otherwise.
    pub(crate) fn number(value: f64) -> Self {
        let whole = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
        if whole {
            Self::Int(value as i64)
        } else {
            Self::Float(value)
        }
    }
}

macro_rules! from {
    ($($source:ty => |$name:ident| $build:expr;)*) => {$(
        impl From<$source> for Value {
            fn from($name: $source) -> Self {
                $build
            }
        }
    )*};
}

from! {
    bool => |value| Self::Bool(value);
    i32 => |value| Self::Int(i64::from(value));
    u32 => |value| Self::Int(i64::from(value));
    i64 => |value| Self::Int(value);
    f64 => |value| Self::Float(value);
    &str => |value| Self::Str(value.to_owned());
    String => |value| Self::Str(value);
    Key => |value| Self::Str(value.into_string());
    Uuid => |value| Self::Uuid(value);
    BigInt => |value| Self::BigInt(value);
    DateTime => |value| Self::DateTime(value);
    Date => |value| Self::Date(value);
    Time => |value| Self::Time(value);
    Decimal => |value| Self::Decimal(value);
    Map => |value| Self::Map(value);
    rust_decimal::Decimal => |value| Self::Decimal(Decimal::from(value));
    jiff::Timestamp => |value| Self::DateTime(DateTime::from(value));
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
