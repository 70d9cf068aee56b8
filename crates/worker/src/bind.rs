//! Binding positional and keyword arguments to a task's fields by Python's rules.
//!
//! The order of positional arguments is the order of the struct's fields. Messages read like those of
//! Python's `TypeError`. Fields must not have serde aliases, which would count as positions.

mod fields;
mod missing;

use std::fmt::Display;

use protocol::{Map, Value, from_value};
use serde::de::DeserializeOwned;

use fields::{Shape, shape_of};
use missing::missing;

use crate::Outcome;

/// The arguments of one call as they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// Positional.
    pub args: Vec<Value>,
    /// By keyword.
    pub kwargs: Map,
}

/// Arguments that do not fit a task; the text is that of Python's `TypeError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BindError(pub String);

impl BindError {
    /// The failure that Python would raise.
    pub(crate) fn into_outcome(self) -> Outcome {
        Outcome::fail("TypeError", self.0)
    }
}

/// Binds `arguments` to the fields of `T`; `task` is the task's name, whose last part stands for the function's name.
///
/// # Errors
/// When an argument is missing, unknown, doubled, too many or of the wrong type.
pub fn bind<T: DeserializeOwned>(task: &str, arguments: Arguments) -> Result<T, BindError> {
    let function = task.rsplit('.').next().unwrap_or(task);
    let binder = Binder { function };
    let value = match shape_of::<T>() {
        Shape::Struct(fields) => Value::Map(binder.by_name(fields, arguments)?),
        Shape::Unit => binder.nothing(arguments)?,
        Shape::Other => Value::Map(binder.by_name_only(arguments)?),
    };
    from_value(value.clone()).map_err(|error| match missing::<T>(value, &error) {
        names if names.is_empty() => binder.error(format_args!("argument {error}")),
        names => binder.missing(&names),
    })
}

/// Binds `arguments` to names, of which the first ones must be there.
pub(crate) fn by_name(
    function: &str,
    required: &[&str],
    optional: &[&str],
    arguments: Arguments,
) -> Result<Map, BindError> {
    let binder = Binder { function };
    let bound = binder.by_name(&[required, optional].concat(), arguments)?;
    let missing = required.iter().filter(|name| !bound.contains_key(name));
    let missing: Vec<String> = missing.map(|&name| name.to_owned()).collect();
    match missing.is_empty() {
        true => Ok(bound),
        false => Err(binder.missing(&missing)),
    }
}

struct Binder<'a> {
    function: &'a str,
}

impl Binder<'_> {
    fn by_name(&self, fields: &[&str], arguments: Arguments) -> Result<Map, BindError> {
        let given = arguments.args.len();
        if given > fields.len() {
            return Err(self.too_many(fields.len(), given));
        }
        let mut bound: Map = fields.iter().copied().zip(arguments.args).collect();
        for (name, value) in arguments.kwargs {
            if !fields.contains(&name.as_str()) {
                return Err(self.error(format_args!("got an unexpected keyword argument '{name}'")));
            }
            if bound.insert(name.clone(), value).is_some() {
                return Err(self.error(format_args!("got multiple values for argument '{name}'")));
            }
        }
        Ok(bound)
    }

    fn by_name_only(&self, arguments: Arguments) -> Result<Map, BindError> {
        match arguments.args.len() {
            0 => Ok(arguments.kwargs),
            given => Err(self.too_many(0, given)),
        }
    }

    fn nothing(&self, arguments: Arguments) -> Result<Value, BindError> {
        self.by_name(&[], arguments).map(|_| Value::Null)
    }

    fn too_many(&self, takes: usize, given: usize) -> BindError {
        let noun = if takes == 1 { "argument" } else { "arguments" };
        let verb = if given == 1 { "was" } else { "were" };
        self.error(format_args!(
            "takes {takes} positional {noun} but {given} {verb} given"
        ))
    }

    fn missing(&self, names: &[String]) -> BindError {
        self.error(format_args!("{}", missing_text(names)))
    }

    fn error(&self, detail: std::fmt::Arguments<'_>) -> BindError {
        BindError(format!("{}() {detail}", self.function))
    }
}

/// Python's words for required arguments that are not there.
pub(crate) fn missing_text(names: &[impl Display]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let listed = match quoted.as_slice() {
        [single] => single.clone(),
        [first, second] => format!("{first} and {second}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
        [] => String::new(),
    };
    let noun = if names.len() == 1 {
        "argument"
    } else {
        "arguments"
    };
    format!(
        "missing {} required positional {noun}: {listed}",
        names.len()
    )
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Add {
        x: i64,
        y: i64,
        #[serde(default)]
        note: Option<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Nothing;

    fn call(args: Vec<i64>, kwargs: &[(&str, Value)]) -> Arguments {
        Arguments {
            args: args.into_iter().map(Value::Int).collect(),
            kwargs: kwargs.iter().cloned().collect(),
        }
    }

    fn message(args: Vec<i64>, kwargs: &[(&str, Value)]) -> String {
        bind::<Add>("demo.add", call(args, kwargs))
            .expect_err("these arguments do not fit")
            .0
    }

    #[test]
    fn positions_follow_the_fields_and_keywords_fill_the_rest() {
        let bound: Add = bind("demo.add", call(vec![1], &[("y", Value::Int(2))])).expect("fits");
        assert_eq!(
            bound,
            Add {
                x: 1,
                y: 2,
                note: None
            }
        );
    }

    #[test]
    fn messages_are_pythons() {
        assert_eq!(
            message(vec![1], &[]),
            "add() missing 1 required positional argument: 'y'"
        );
        assert_eq!(
            message(vec![], &[]),
            "add() missing 2 required positional arguments: 'x' and 'y'"
        );
        assert_eq!(
            message(vec![1, 2], &[("z", Value::Null)]),
            "add() got an unexpected keyword argument 'z'"
        );
        assert_eq!(
            message(vec![1, 2], &[("x", Value::Int(3))]),
            "add() got multiple values for argument 'x'"
        );
        assert_eq!(
            message(vec![1, 2, 3, 4], &[]),
            "add() takes 3 positional arguments but 4 were given"
        );
    }

    #[test]
    fn a_wrong_type_names_the_field() {
        let text = message(vec![1], &[("y", Value::from("two"))]);
        assert!(text.starts_with("add() argument y: "), "{text}");
    }

    #[test]
    fn a_task_without_fields_takes_nothing() {
        assert_eq!(bind::<Nothing>("demo.noop", call(vec![], &[])), Ok(Nothing));
        let error = bind::<Nothing>("demo.noop", call(vec![1], &[])).expect_err("takes nothing");
        assert_eq!(
            error.0,
            "noop() takes 0 positional arguments but 1 was given"
        );
    }
}
