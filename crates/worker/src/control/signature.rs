//! Refuses arguments as Python would: by the signature of the function behind the command.
//!
//! A signature is written `a, b=, **`: `b` may be left out, and `**` takes everything else.

use protocol::Map;

use crate::Failure;
use crate::bind::missing_text;

/// Whether the arguments fit.
///
/// # Errors
/// Python's `TypeError` when one is unknown or missing.
pub(super) fn check(command: &str, signature: &str, arguments: &Map) -> Result<(), Failure> {
    let parameters = || {
        signature
            .split(", ")
            .filter(|parameter| !parameter.is_empty())
    };
    let takes = |name: &str| {
        parameters().any(|parameter| parameter == "**" || parameter.trim_end_matches('=') == name)
    };
    if let Some(unknown) = arguments.keys().find(|name| !takes(name)) {
        return Err(type_error(format!(
            "{command}() got an unexpected keyword argument '{unknown}'"
        )));
    }
    let required = parameters().filter(|parameter| *parameter != "**" && !parameter.ends_with('='));
    let missing: Vec<&str> = required
        .filter(|parameter| !arguments.contains_key(parameter))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(type_error(format!(
        "{command}() {}",
        missing_text(&missing)
    )))
}

pub(super) fn type_error(text: impl Into<String>) -> Failure {
    Failure::builtin("TypeError", vec![text.into().into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(signature: &str, arguments: &[&str]) -> Option<String> {
        let arguments = arguments.iter().map(|name| (*name, 1_i64)).collect();
        let refused = check("f", signature, &arguments).err()?;
        Some(refused.exception.repr())
    }

    #[test]
    fn the_texts_are_pythons() {
        assert_eq!(
            refusal("a, b, **", &["wrong"]).unwrap(),
            "TypeError(\"f() missing 2 required positional arguments: 'a' and 'b'\")"
        );
        assert_eq!(
            refusal("a, **", &[]).unwrap(),
            "TypeError(\"f() missing 1 required positional argument: 'a'\")"
        );
        assert_eq!(
            refusal("", &["n"]).unwrap(),
            "TypeError(\"f() got an unexpected keyword argument 'n'\")"
        );
    }

    #[test]
    fn what_fits_is_not_refused() {
        assert_eq!(refusal("", &[]), None);
        assert_eq!(refusal("a, b=, **", &["a", "extra"]), None);
        assert_eq!(refusal("max=, min=", &["min"]), None);
    }
}
