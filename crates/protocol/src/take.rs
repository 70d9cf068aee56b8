//! Small typed readers for fields: each names what it expected and what it found.

use crate::error::{DecodeError, DecodeErrorKind};
use crate::json::Reader;
use crate::value::{DateTime, Key, Map, Value};

/// A field that is still to be read: a value, or the place in a document where one stands. Every task has dozens of them, so what is read
/// from a document is not made a value first.
pub(crate) trait Field: Sized {
    /// Whatever it is.
    fn value(self) -> Result<Value, DecodeError>;

    /// Text or null.
    fn text(self) -> Result<Option<String>, DecodeError>;

    /// The same for what is short.
    fn short_text(self) -> Result<Option<Key>, DecodeError> {
        Ok(self.text()?.map(Key::from))
    }

    /// The entries of a map, one by one; false when it is null.
    fn entries(self, into: &mut impl Entries) -> Result<bool, DecodeError>;
}

/// What takes the entries of a map.
pub(crate) trait Entries {
    fn set(&mut self, key: &str, field: impl Field) -> Result<(), DecodeError>;
}

impl Field for Value {
    fn value(self) -> Result<Value, DecodeError> {
        Ok(self)
    }

    fn text(self) -> Result<Option<String>, DecodeError> {
        text(self)
    }

    fn entries(self, into: &mut impl Entries) -> Result<bool, DecodeError> {
        if self.is_null() {
            return Ok(false);
        }
        let mut entries = map(self)?.into_iter();
        entries.try_for_each(|(key, value)| into.set(&key, value))?;
        Ok(true)
    }
}

impl Field for &mut Reader<'_> {
    fn value(self) -> Result<Value, DecodeError> {
        Reader::value(self)
    }

    fn text(self) -> Result<Option<String>, DecodeError> {
        if self.at_text() {
            return Ok(Some(self.str()?.into_owned()));
        }
        text(Reader::value(self)?)
    }

    fn short_text(self) -> Result<Option<Key>, DecodeError> {
        if self.at_text() {
            return Ok(Some(self.str()?.into()));
        }
        Ok(text(Reader::value(self)?)?.map(Key::from))
    }

    fn entries(self, into: &mut impl Entries) -> Result<bool, DecodeError> {
        if self.null() {
            return Ok(false);
        }
        let mut more = self.begin_map()?;
        while more {
            let key = self.key()?;
            into.set(&key, &mut *self)?;
            more = self.next_entry()?;
        }
        Ok(true)
    }
}

/// A structure with typed fields, and room for all others.
pub(crate) trait Fields: Default {
    /// The names of the typed fields, in the order in which they mostly come.
    const NAMES: &'static [&'static str];

    /// Reads one of them.
    fn known(&mut self, name: &str, field: impl Field) -> Result<(), DecodeError>;

    /// Where the others go.
    fn extra(&mut self) -> &mut Map;
}

/// Reads a map into a structure; a name that comes twice is refused. With it, whether any typed field has come; `None` is null.
pub(crate) fn fields<T: Fields>(map: impl Field) -> Result<Option<(T, bool)>, DecodeError> {
    let mut filling = Filling::<T>::default();
    let found = map.entries(&mut filling)?;
    let Filling { read, seen } = filling;
    Ok(found.then(|| (read, !seen.is_empty())))
}

/// A structure whose fields come one by one.
#[derive(Default)]
struct Filling<T> {
    read: T,
    seen: Seen,
}

impl<T: Fields> Entries for Filling<T> {
    fn set(&mut self, key: &str, field: impl Field) -> Result<(), DecodeError> {
        match self.seen.name(T::NAMES, key)? {
            Some(name) => {
                let known = self.read.known(name, field);
                known.map_err(|error| error.at(name))
            }
            None => other(self.read.extra(), key, field),
        }
    }
}

/// Which names of a table have come.
#[derive(Default)]
pub(crate) struct Seen {
    places: u32,
    /// Names mostly come in the order of the table.
    next: usize,
}

impl Seen {
    /// The name that the key is, if it is one of the table's.
    ///
    /// # Errors
    /// When it has come before.
    pub(crate) fn name(
        &mut self,
        table: &[&'static str],
        key: &str,
    ) -> Result<Option<&'static str>, DecodeError> {
        let expected = table.get(self.next).is_some_and(|name| *name == key);
        let place = match expected {
            true => Some(self.next),
            false => table.iter().position(|name| *name == key),
        };
        let Some(place) = place else {
            return Ok(None);
        };
        if self.places & (1 << place) != 0 {
            return Err(DecodeError::duplicate(key));
        }
        self.places |= 1 << place;
        self.next = place + 1;
        Ok(Some(table[place]))
    }

    /// Whether none has come.
    fn is_empty(&self) -> bool {
        self.places == 0
    }
}

/// Adds an entry that has no name in the table.
pub(crate) fn other(others: &mut Map, key: &str, field: impl Field) -> Result<(), DecodeError> {
    let value = field.value().map_err(|error| error.at(key))?;
    let inserted = others.try_insert(key, value);
    inserted.map_err(|(key, _)| DecodeError::duplicate(&key))
}

/// Text or null.
pub(crate) fn text(value: Value) -> Result<Option<String>, DecodeError> {
    match value {
        Value::Null => Ok(None),
        Value::Str(text) => Ok(Some(text)),
        other => Err(DecodeError::wrong_type("text or null", other.type_name())),
    }
}

/// An ISO 8601 time or null.
pub(crate) fn datetime(value: Value) -> Result<Option<DateTime>, DecodeError> {
    match value {
        Value::Null => Ok(None),
        Value::Str(text) => DateTime::parse(text).map(Some),
        Value::DateTime(value) => Ok(Some(value)),
        other => Err(DecodeError::wrong_type(
            "an ISO 8601 time or null",
            other.type_name(),
        )),
    }
}

/// A truth value or null.
pub(crate) fn boolean(value: Value) -> Result<Option<bool>, DecodeError> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(value)),
        other => Err(DecodeError::wrong_type(
            "a boolean or null",
            other.type_name(),
        )),
    }
}

/// An integer or null.
pub(crate) fn integer(value: Value) -> Result<Option<i64>, DecodeError> {
    match value {
        Value::Null => Ok(None),
        Value::Int(value) => Ok(Some(value)),
        other => Err(DecodeError::wrong_type(
            "a 64-bit integer or null",
            other.type_name(),
        )),
    }
}

/// A count (0 … 4 294 967 295) or null.
pub(crate) fn count(value: Value) -> Result<Option<u32>, DecodeError> {
    integer(value)?
        .map(|value| {
            let detail = format!("expected a count of 0 or more, found {value}");
            u32::try_from(value).map_err(|_| DecodeError::new(DecodeErrorKind::Value, detail))
        })
        .transpose()
}

/// A finite number of seconds or null.
pub(crate) fn seconds(value: &Value) -> Result<Option<f64>, DecodeError> {
    match value {
        Value::Null => Ok(None),
        value => match value.as_f64() {
            Some(seconds) if seconds.is_finite() => Ok(Some(seconds)),
            Some(_) => Err(DecodeError::new(
                DecodeErrorKind::Value,
                "expected a finite number",
            )),
            None => Err(DecodeError::wrong_type(
                "a number of seconds or null",
                value.type_name(),
            )),
        },
    }
}

/// A list.
pub(crate) fn list(value: Value) -> Result<Vec<Value>, DecodeError> {
    match value {
        Value::List(items) => Ok(items),
        other => Err(DecodeError::wrong_type("a list", other.type_name())),
    }
}

/// A map.
pub(crate) fn map(value: Value) -> Result<Map, DecodeError> {
    match value {
        Value::Map(map) => Ok(map),
        other => Err(DecodeError::wrong_type("a map", other.type_name())),
    }
}

/// A list of texts or null.
pub(crate) fn texts(value: Value) -> Result<Option<Vec<String>>, DecodeError> {
    if value.is_null() {
        return Ok(None);
    }
    each(list(value)?, |item| match item {
        Value::Str(text) => Ok(text),
        other => Err(DecodeError::wrong_type("text", other.type_name())),
    })
    .map(Some)
}

/// Reads every item of a list; the error names the position.
pub(crate) fn each<T>(
    items: Vec<Value>,
    read: impl Fn(Value) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let items = items.into_iter().enumerate();
    items
        .map(|(index, item)| read(item).map_err(|error| error.at_index(index)))
        .collect()
}

/// Removes `key` from a map and reads it; an absent key reads as null.
pub(crate) fn field<T>(
    map: &mut Map,
    key: &str,
    read: impl FnOnce(Value) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    read(map.remove(key).unwrap_or_default()).map_err(|error| error.at(key))
}
