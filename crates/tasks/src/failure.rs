//! The domain's errors as outcomes. Types and retry rules are the finance tasks' conventions.

use portfolio::Error;
use protocol::Value;
use worker::{Failure, Outcome};

use crate::arguments::ArgumentError;

/// Where Python callers find the exception types.
const MODULE: &str = "finance.errors";

/// The types that another try may mend; for `TaskOptions::autoretry_for`.
pub const AUTORETRY: [&str; 4] = [
    "RateLimited",
    "ProviderUnavailable",
    "DatabaseBusy",
    "ConnectionError",
];

/// What a task that met this error ends with.
pub fn failure(error: Error) -> Outcome {
    let kind = match &error {
        Error::InvalidArgument { field, value, rule } => return invalid(field, value, rule),
        Error::NotFound { .. } => "NotFound",
        Error::Forbidden { .. } => "Forbidden",
        Error::DatabaseBusy { .. } => "DatabaseBusy",
        Error::DatabaseUnreachable { .. } => "ConnectionError",
        Error::Ledger { .. } => "LedgerError",
        _ => return Outcome::from(error),
    };
    named(kind, error.to_string())
}

/// An argument that breaks a rule of the task's own; the text names field, value and rule.
pub fn invalid(field: &str, value: impl std::fmt::Display, rule: &str) -> Outcome {
    argument(ArgumentError::invalid(field, value, rule))
}

/// An argument that does not fit.
pub fn argument(error: ArgumentError) -> Outcome {
    named("InvalidArgument", error.to_string())
}

/// A failure of one of the finance tasks' types: `NotFound`, `Forbidden`, or one of [`AUTORETRY`].
pub fn named(kind: &str, text: String) -> Outcome {
    Outcome::Fail(Box::new(Failure::new(kind, MODULE, vec![Value::Str(text)])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exc_type(outcome: Outcome) -> String {
        match outcome {
            Outcome::Fail(failure) => failure.exception.exc_type,
            other => panic!("{other:?} is no failure"),
        }
    }

    #[test]
    fn callers_can_tell_errors_apart_by_type() {
        let missing = Error::NotFound {
            what: "user",
            id: "7".to_owned(),
        };
        assert_eq!(exc_type(failure(missing)), "NotFound");
        assert_eq!(
            exc_type(invalid("days", 0, "must be at least 1")),
            "InvalidArgument"
        );
        assert_eq!(
            exc_type(failure(Error::LockLost("analytics:all".to_owned()))),
            "Error"
        );
    }
}
