//! Serde modules that carry exact types: `#[serde(with = "protocol::typed::decimal")]`.
//!
//! A field so marked goes out as kombu's typed value (an exact decimal, a datetime with offset, a UUID,
//! bytes) and comes back the same. Each module takes the plain type and `Option` of it. Reading also
//! accepts the plain text.

macro_rules! with_module {
    ($(#[$doc:meta])* $name:ident, $field:ident) => {
        $(#[$doc])*
        pub mod $name {
            use serde::{Deserializer, Serializer};

            pub use super::fields::$field as Field;

            /// Writes the typed value.
            ///
            /// # Errors
            /// Whatever the serializer says.
            pub fn serialize<T: Field, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
                value.write(serializer)
            }

            /// Reads the typed value or its plain text.
            ///
            /// # Errors
            /// When the value is of another kind or cannot be held exactly.
            pub fn deserialize<'de, T: Field, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
                T::read(deserializer)
            }
        }
    };
}

mod fields;

with_module! {
    /// `rust_decimal::Decimal` as an exact decimal.
    decimal, DecimalField
}
with_module! {
    /// `jiff::Timestamp` (written with `+00:00`) or `jiff::civil::DateTime` (without offset) as a datetime.
    /// A `Timestamp` read from a text without offset takes it as UTC.
    datetime, DateTimeField
}
with_module! {
    /// `jiff::civil::Date` as a date.
    date, DateField
}
with_module! {
    /// `jiff::civil::Time` as a time.
    time, TimeField
}
with_module! {
    /// `uuid::Uuid` as a UUID.
    uuid, UuidField
}
with_module! {
    /// `Vec<u8>` as bytes.
    bytes, BytesField
}
