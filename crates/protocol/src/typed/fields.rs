//! Which Rust types the typed modules take, and how each is written and read.

use jiff::{Timestamp, civil};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::value::{DATE, DATETIME, DECIMAL, Date, DateTime, Decimal, TIME, Time, Value};

macro_rules! field_trait {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub trait $name: Sized {
            /// Writes the typed value.
            ///
            /// # Errors
            /// Whatever the serializer says.
            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

            /// Reads the typed value or its plain text.
            ///
            /// # Errors
            /// When the value is of another kind or cannot be held exactly.
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
        }

        impl<T: $name> $name for Option<T> {
            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                struct Inner<'a, T>(&'a T);
                impl<T: $name> Serialize for Inner<'_, T> {
                    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                        self.0.write(serializer)
                    }
                }
                match self {
                    Some(value) => serializer.serialize_some(&Inner(value)),
                    None => serializer.serialize_none(),
                }
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Inner<T>(T);
                impl<'de, T: $name> Deserialize<'de> for Inner<T> {
                    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                        T::read(deserializer).map(Self)
                    }
                }
                Ok(Option::<Inner<T>>::deserialize(deserializer)?.map(|inner| inner.0))
            }
        }
    };
}

field_trait! {
    /// A type that goes out as a decimal.
    DecimalField
}
field_trait! {
    /// A type that goes out as a datetime.
    DateTimeField
}
field_trait! {
    /// A type that goes out as a date.
    DateField
}
field_trait! {
    /// A type that goes out as a time of day.
    TimeField
}
field_trait! {
    /// A type that goes out as a UUID.
    UuidField
}
field_trait! {
    /// A type that goes out as bytes.
    BytesField
}

/// Reads one field: the typed value through `from_typed`, or its text after parsing it the same way.
macro_rules! typed_field {
    ($trait:ident for $type:ty, $tag:ident, $wire:ident, $exact:expr) => {
        impl $trait for $type {
            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_newtype_struct($tag, $wire::from(*self).as_str())
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let wire = match Value::deserialize(deserializer)? {
                    Value::$wire(wire) => wire,
                    Value::Str(text) => $wire::parse(text).map_err(D::Error::custom)?,
                    other => return Err(wrong(stringify!($wire), &other)),
                };
                $exact(&wire).ok_or_else(|| {
                    D::Error::custom(format_args!("{wire} cannot be held exactly here"))
                })
            }
        }
    };
}

typed_field!(DecimalField for rust_decimal::Decimal, DECIMAL, Decimal, Decimal::to_decimal);
typed_field!(DateTimeField for Timestamp, DATETIME, DateTime, DateTime::timestamp);
typed_field!(DateTimeField for civil::DateTime, DATETIME, DateTime, naive);
typed_field!(DateField for civil::Date, DATE, Date, Date::civil);
typed_field!(TimeField for civil::Time, TIME, Time, naive_time);

/// A wall-clock reading must not drop an offset.
fn naive(value: &DateTime) -> Option<civil::DateTime> {
    if value.is_naive() {
        value.civil()
    } else {
        None
    }
}

fn naive_time(value: &Time) -> Option<civil::Time> {
    if value.as_str().contains(['+', '-', 'Z', 'z']) {
        None
    } else {
        value.civil()
    }
}

impl UuidField for Uuid {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::Uuid(*self).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Uuid(uuid) => Ok(uuid),
            Value::Str(text) => text.parse().map_err(D::Error::custom),
            other => Err(wrong("UUID", &other)),
        }
    }
}

impl BytesField for Vec<u8> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(wrong("bytes", &other)),
        }
    }
}

fn wrong<E: serde::de::Error>(expected: &str, found: &Value) -> E {
    E::custom(format_args!(
        "expected {expected}, found {}",
        found.type_name()
    ))
}
