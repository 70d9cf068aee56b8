//! Binding a call's arguments to a task's fields by rules that are data, before any work is done.
//!
//! [`Field`] says what an argument must be; [`Binder`] gives every field its value, normalised, or the [`ArgumentError`] that
//! names field, value and rule. What the arguments mean is the task's business.

mod error;
mod field;
mod paths;
mod values;

use std::path::PathBuf;

use jiff::civil::Date;
use protocol::{Map, Value};
use worker::Arguments;

pub use error::{ArgumentError, Code};
pub use field::{Bounds, Field, Kind, Need, Place, Preset};

/// What the rules need to know of the world.
#[derive(Clone, Copy)]
pub struct Binder<'a> {
    /// The last day that is not in the future, wherever in the world the caller is.
    pub today: Date,
    /// The folder that each place stands for.
    pub roots: &'a (dyn Fn(Place) -> PathBuf + Sync),
}

impl std::fmt::Debug for Binder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Binder")
            .field("today", &self.today)
            .finish_non_exhaustive()
    }
}

impl Binder<'_> {
    /// Every field's value, in order: as given and normalised, or its default. `ordered` names two fields of which the first
    /// must not be later than the second.
    ///
    /// # Errors
    /// The first argument that does not fit.
    pub fn bind(
        &self,
        fields: &[Field],
        ordered: Option<(&str, &str)>,
        arguments: Arguments,
    ) -> Result<Map, ArgumentError> {
        let mut given = by_name(fields, arguments)?;
        let mut bound = Map::new();
        for field in fields {
            let value = match (given.remove(field.name), field.need) {
                (Some(value), _) => self.field(field.name, field, value)?,
                (None, Need::Default(preset)) => preset.value(),
                (None, Need::Required) => return Err(ArgumentError::missing(field.name)),
            };
            bound.insert(field.name, value);
        }
        if let Some((first, second)) = ordered {
            values::in_order(first, &bound, first, second)?;
        }
        Ok(bound)
    }

    /// The value of a field that was given; null stands for "not given" where that is the default.
    fn field(&self, path: &str, field: &Field, value: Value) -> Result<Value, ArgumentError> {
        match value {
            Value::Null if field.is_nullable() => Ok(Value::Null),
            value => self.value(path, &field.kind, value),
        }
    }
}

/// The arguments under their names, by Python's rules.
fn by_name(fields: &[Field], arguments: Arguments) -> Result<Map, ArgumentError> {
    let given = arguments.args.len();
    if given > fields.len() {
        return Err(ArgumentError::too_many(fields.len(), given));
    }
    let names = fields.iter().map(|field| field.name);
    let mut bound: Map = names.zip(arguments.args).collect();
    for (name, value) in arguments.kwargs {
        if !fields.iter().any(|field| field.name == name) {
            return Err(ArgumentError::unexpected(&name));
        }
        if bound.contains_key(&name) {
            return Err(ArgumentError::multiple(&name));
        }
        bound.insert(name, value);
    }
    Ok(bound)
}
