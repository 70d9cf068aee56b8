//! What values a setting may have: reading one from a variable's text, and checking one that a file gave.
//! It owns no setting; those are in [`super::table`].

use protocol::{Codec, Limits, Value};

/// The type of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number, at least this.
    Int(i64),
    /// A number, zero or more; times are in seconds.
    Number,
    /// A text.
    Text,
    /// A text that is never shown.
    Secret,
    /// A URL; its password is never shown.
    Url,
    /// A list of texts.
    List,
    /// A table.
    Map,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// Whatever fits; the reader of the setting checks it.
    Any,
}

impl Kind {
    /// The rule in words, to follow "must be".
    pub fn rule(self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Int(i64::MIN) => "a whole number".to_owned(),
            Self::Int(least) => format!("a whole number of at least {least}"),
            Self::Number => "a number of at least 0".to_owned(),
            Self::Text | Self::Secret => "text".to_owned(),
            Self::Url => "a URL, such as sqlite:data/file.db or postgresql://host/name".to_owned(),
            Self::List => "a list of texts".to_owned(),
            Self::Map => "a table".to_owned(),
            Self::Choice(names) => format!("one of {}", names.join(", ")),
            Self::Any => "a value".to_owned(),
        }
    }

    /// Whether `value` keeps the rule. Nothing is coerced: `"8"` is not a number.
    pub fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any, _) | (Self::Bool, Value::Bool(_)) | (Self::Map, Value::Map(_)) => true,
            (Self::Int(least), Value::Int(number)) => *number >= least,
            (Self::Number, Value::Int(number)) => *number >= 0,
            (Self::Number, Value::Float(number)) => number.is_finite() && *number >= 0.0,
            (Self::Text | Self::Secret, Value::Str(_)) => true,
            (Self::Url, Value::Str(text)) => text.contains(':'),
            (Self::Choice(names), Value::Str(text)) => names.contains(&text.as_str()),
            (Self::List, Value::List(items)) => items.iter().all(|item| item.as_str().is_some()),
            _ => false,
        }
    }

    /// Reads a variable's or an option's text; `None` when it cannot be of this kind.
    pub fn parse(self, text: &str) -> Option<Value> {
        let text = text.trim();
        let value = match self {
            Self::Bool => Value::Bool(parse_bool(text)?),
            Self::Int(_) => Value::Int(text.parse().ok()?),
            Self::Number => parse_number(text)?,
            Self::Text | Self::Secret | Self::Url | Self::Choice(_) => Value::from(text),
            Self::List => parse_list(text)?,
            Self::Map => parse_json(text)?,
            Self::Any => parse_json(text).unwrap_or_else(|| Value::from(text)),
        };
        self.accepts(&value).then_some(value)
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn parse_number(text: &str) -> Option<Value> {
    match text.parse::<i64>() {
        Ok(number) => Some(Value::Int(number)),
        Err(_) => text.parse().ok().map(Value::Float),
    }
}

/// A JSON list, or texts between commas.
fn parse_list(text: &str) -> Option<Value> {
    if text.starts_with('[') {
        return parse_json(text);
    }
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    Some(Value::List(items.map(Value::from).collect()))
}

fn parse_json(text: &str) -> Option<Value> {
    Codec::Json.decode(text.as_bytes(), &Limits::default()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_by_kind() {
        assert_eq!(Kind::Bool.parse("Yes"), Some(Value::Bool(true)));
        assert_eq!(Kind::Bool.parse("off"), Some(Value::Bool(false)));
        assert_eq!(Kind::Int(1).parse(" 8 "), Some(Value::Int(8)));
        assert_eq!(Kind::Number.parse("0.5"), Some(Value::Float(0.5)));
        assert_eq!(Kind::Text.parse("8"), Some(Value::from("8")));
        assert_eq!(Kind::Any.parse("8"), Some(Value::Int(8)));
        assert_eq!(Kind::Any.parse("auto"), Some(Value::from("auto")));
    }

    #[test]
    fn lists_are_json_or_comma_separated() {
        let expected = Some(Value::from(vec!["json", "yaml"]));
        assert_eq!(Kind::List.parse("json, yaml,"), expected);
        assert_eq!(Kind::List.parse(r#"["json", "yaml"]"#), expected);
        assert_eq!(Kind::List.parse("[1]"), None);
        assert_eq!(
            Kind::Map
                .parse(r#"{"a": 1}"#)
                .and_then(|map| map.get("a").cloned()),
            Some(Value::Int(1))
        );
    }

    #[test]
    fn what_breaks_the_rule_is_refused() {
        assert_eq!(Kind::Bool.parse("maybe"), None);
        assert_eq!(Kind::Int(1).parse("0"), None);
        assert_eq!(Kind::Int(0).parse("four"), None);
        assert_eq!(Kind::Number.parse("-1"), None);
        assert_eq!(Kind::Number.parse("inf"), None);
        assert_eq!(Kind::Choice(&["a", "b"]).parse("c"), None);
        assert_eq!(Kind::Url.parse("localhost"), None);
    }

    #[test]
    fn a_file_s_values_are_not_coerced() {
        assert!(!Kind::Int(0).accepts(&Value::from("8")));
        assert!(!Kind::Bool.accepts(&Value::from("yes")));
        assert!(!Kind::Text.accepts(&Value::Int(1)));
        assert!(Kind::Number.accepts(&Value::Int(1)));
    }
}
