//! What is wrong with an argument.

use std::fmt;

use protocol::{Value, saferepr};

/// Characters of a value that an error repeats.
const SHOWN: usize = 80;

/// The stable code of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A required argument is not there.
    MissingArgument,
    /// The task has no such argument.
    UnexpectedArgument,
    /// An argument was given by position and by name.
    MultipleValues,
    /// More positional arguments than fields.
    TooManyArguments,
    /// The value breaks a rule.
    InvalidArgument,
}

impl Code {
    /// The code as callers see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingArgument => "missing_argument",
            Self::UnexpectedArgument => "unexpected_argument",
            Self::MultipleValues => "multiple_values",
            Self::TooManyArguments => "too_many_arguments",
            Self::InvalidArgument => "invalid_argument",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An argument that does not fit. The text begins with the code and names field, value and rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {text}")]
pub struct ArgumentError {
    /// What kind of error it is.
    pub code: Code,
    /// Where: `days`, `symbols[1]`, `date_range.start`; none when there are too many.
    pub field: Option<String>,
    text: String,
}

impl ArgumentError {
    /// A value that breaks `rule`, which reads on from "must" or "is".
    pub fn invalid(field: &str, value: impl fmt::Display, rule: impl fmt::Display) -> Self {
        Self::at(
            Code::InvalidArgument,
            field,
            format!("{field} = {value}: {rule}"),
        )
    }

    pub(super) fn value(field: &str, value: &Value, rule: impl fmt::Display) -> Self {
        Self::invalid(field, saferepr(value, SHOWN, 2), rule)
    }

    pub(super) fn missing(field: &str) -> Self {
        let text = format!("{field} is required and was not given");
        Self::at(Code::MissingArgument, field, text)
    }

    pub(super) fn unexpected(field: &str) -> Self {
        let text = format!("{field} is not an argument of this task");
        Self::at(Code::UnexpectedArgument, field, text)
    }

    pub(super) fn multiple(field: &str) -> Self {
        let text = format!("{field} was given by position and by name");
        Self::at(Code::MultipleValues, field, text)
    }

    pub(super) fn too_many(takes: usize, given: usize) -> Self {
        Self {
            code: Code::TooManyArguments,
            field: None,
            text: format!("at most {takes} arguments are taken, {given} were given"),
        }
    }

    fn at(code: Code, field: &str, text: String) -> Self {
        Self {
            code,
            field: Some(field.to_owned()),
            text,
        }
    }
}
