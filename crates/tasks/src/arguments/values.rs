//! One value against one rule: the value as the task gets it, or what is wrong.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use portfolio::decimal::Decimal;
use protocol::{DateTime, Map, Value};

use super::error::ArgumentError;
use super::field::{Bounds, Field, Kind, Need, Place};
use super::{Binder, paths};

/// The characters of a symbol after the first, besides letters and digits.
const SYMBOL_SIGNS: &str = ".-=^";
const SYMBOL_LENGTH: usize = 20;

type Checked = Result<Value, ArgumentError>;

impl Binder<'_> {
    /// The value as a task takes it.
    pub(super) fn value(&self, path: &str, kind: &Kind, value: Value) -> Checked {
        match kind {
            Kind::Int(bounds) => int(path, *bounds, value),
            Kind::Number(bounds) => number(path, *bounds, value),
            Kind::Bool => match value {
                Value::Bool(_) => Ok(value),
                other => refuse(path, &other, "must be true or false"),
            },
            Kind::Text(bounds) => text(path, *bounds, value),
            Kind::Choice(choices) => choice(path, choices, value),
            Kind::Symbol(strict) => symbol(path, *strict, value),
            Kind::Date(past) => self.date(path, *past, value),
            Kind::Timestamp => timestamp(path, value),
            Kind::Path(place) => self.path(path, *place, value),
            Kind::Decimal => decimal(path, value),
            Kind::Object(max_bytes) => object(path, *max_bytes, value),
            Kind::Record(fields, ordered) => self.record(path, fields, *ordered, value),
            Kind::Any => list(path, value).map(Value::List),
            Kind::List(kind, bounds) => self.list(path, kind, *bounds, value),
        }
    }

    fn date(&self, path: &str, past: bool, value: Value) -> Checked {
        let date = match &value {
            Value::Str(text) => day(text),
            Value::Date(date) => day(date.as_str()),
            _ => None,
        };
        match date {
            Some(date) if past && date > self.today => {
                refuse(path, &value, "must not be in the future")
            }
            Some(date) => Ok(Value::Str(date.to_string())),
            None => refuse(path, &value, "must be a date such as 2024-02-29"),
        }
    }

    fn path(&self, path: &str, place: Place, value: Value) -> Checked {
        let Value::Str(asked) = &value else {
            return refuse(path, &value, "must be a path");
        };
        let root = (self.roots)(place);
        let found = Some(asked)
            .filter(|asked| !asked.is_empty() && !asked.contains('\0'))
            .and_then(|asked| paths::resolve(&root, Path::new(asked)))
            .filter(|found| place.may_grow() || found.is_dir())
            .and_then(|found| found.into_os_string().into_string().ok());
        match found {
            Some(found) => Ok(Value::Str(found)),
            None => refuse(
                path,
                &value,
                &format!("must be a folder under {}", root.display()),
            ),
        }
    }

    fn record(&self, path: &str, fields: &[Field], ordered: bool, value: Value) -> Checked {
        let Value::Map(given) = value else {
            return refuse(path, &value, "must be an object");
        };
        let mut bound = Map::new();
        for (name, value) in given {
            let inner = format!("{path}.{name}");
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                return Err(ArgumentError::unexpected(&inner));
            };
            bound.insert(name, self.field(&inner, field, value)?);
        }
        let missing =
            |field: &&Field| field.need == Need::Required && !bound.contains_key(field.name);
        if let Some(field) = fields.iter().find(missing) {
            return Err(ArgumentError::missing(&format!("{path}.{}", field.name)));
        }
        if ordered {
            in_order(path, &bound, "start", "end")?;
        }
        Ok(Value::Map(bound))
    }

    fn list(&self, path: &str, kind: &Kind, bounds: Bounds<usize>, value: Value) -> Checked {
        let items = list(path, value)?;
        if let Some(rule) = broken(items.len(), bounds, " items") {
            let shown = format!("{} items", items.len());
            return Err(ArgumentError::invalid(path, shown, rule));
        }
        let mut checked = Vec::with_capacity(items.len());
        let mut seen = std::collections::HashSet::new();
        for (index, item) in items.into_iter().enumerate() {
            let item = self.value(&format!("{path}[{index}]"), kind, item)?;
            match (kind, &item) {
                (Kind::Symbol(_), Value::Str(symbol)) if !seen.insert(symbol.clone()) => {}
                _ => checked.push(item),
            }
        }
        Ok(Value::List(checked))
    }
}

/// An error that blames the argument `blamed` when the time `first` lies after the time `second`.
pub(super) fn in_order(
    blamed: &str,
    bound: &Map,
    first: &str,
    second: &str,
) -> Result<(), ArgumentError> {
    let text = |name| match bound.get(name) {
        Some(Value::Str(text)) => Some(text.as_str()),
        _ => None,
    };
    match (text(first), text(second)) {
        (Some(start), Some(end)) if moment(start) > moment(end) => Err(ArgumentError::invalid(
            blamed,
            format_args!("{start} to {end}"),
            format_args!("{first} must not be after {second}"),
        )),
        _ => Ok(()),
    }
}

/// A normalised day or time, comparable with others of its kind.
fn moment(text: &str) -> (Option<Date>, Option<Timestamp>) {
    (day(text), text.parse().ok())
}

fn refuse(path: &str, value: &Value, rule: &str) -> Checked {
    Err(ArgumentError::value(path, value, rule))
}

fn int(path: &str, bounds: Bounds<i64>, value: Value) -> Checked {
    let Value::Int(number) = value else {
        return refuse(path, &value, "must be an integer");
    };
    match broken(number, bounds, "") {
        Some(rule) => refuse(path, &value, &rule),
        None => Ok(value),
    }
}

fn number(path: &str, bounds: Bounds<f64>, value: Value) -> Checked {
    let number = match &value {
        Value::Int(number) => *number as f64,
        Value::Float(number) if number.is_finite() => *number,
        _ => return refuse(path, &value, "must be a number"),
    };
    match broken(number, bounds, "") {
        Some(rule) => refuse(path, &value, &rule),
        None => Ok(Value::Float(number)),
    }
}

/// The rule that a value or size breaks, if it does.
fn broken<T: PartialOrd + std::fmt::Display>(
    value: T,
    bounds: Bounds<T>,
    unit: &str,
) -> Option<String> {
    let Bounds { min, max } = bounds;
    let inside = min.as_ref().is_none_or(|min| value >= *min)
        && max.as_ref().is_none_or(|max| value <= *max);
    let verb = if unit.is_empty() { "be" } else { "have" };
    let rule = match (min, max) {
        (Some(min), Some(max)) => format!("must {verb} from {min} to {max}{unit}"),
        (Some(min), None) => format!("must {verb} at least {min}{unit}"),
        (None, Some(max)) => format!("must {verb} at most {max}{unit}"),
        (None, None) => return None,
    };
    (!inside).then_some(rule)
}

fn text(path: &str, bounds: Bounds<usize>, value: Value) -> Checked {
    let Value::Str(text) = &value else {
        return refuse(path, &value, "must be text");
    };
    match broken(text.chars().count(), bounds, " characters") {
        Some(rule) => refuse(path, &value, &rule),
        None => Ok(value),
    }
}

fn choice(path: &str, choices: &[&str], value: Value) -> Checked {
    match &value {
        Value::Str(text) if choices.contains(&text.as_str()) => Ok(value),
        other => refuse(
            path,
            other,
            &format!("must be one of {}", choices.join(", ")),
        ),
    }
}

fn symbol(path: &str, strict: bool, value: Value) -> Checked {
    let Value::Str(text) = &value else {
        return refuse(path, &value, "must be a symbol");
    };
    let symbol = text.trim().to_uppercase();
    if symbol.is_empty() || strict && !looks_like_a_symbol(&symbol) {
        let rule = format!(
            "must be a symbol: at most {SYMBOL_LENGTH} letters, digits and {SYMBOL_SIGNS}, a letter or digit first"
        );
        return refuse(path, &value, &rule);
    }
    Ok(Value::Str(symbol))
}

fn looks_like_a_symbol(symbol: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    symbol.len() <= SYMBOL_LENGTH
        && symbol.starts_with(plain)
        && symbol.chars().all(|c| plain(c) || SYMBOL_SIGNS.contains(c))
}

/// A day in full: `2024-02-29`.
fn day(text: &str) -> Option<Date> {
    text.parse()
        .ok()
        .filter(|date: &Date| date.to_string() == text)
}

fn timestamp(path: &str, value: Value) -> Checked {
    let parsed = match &value {
        Value::Str(text) => DateTime::parse(text.as_str()).ok(),
        Value::DateTime(time) => Some(time.clone()),
        _ => None,
    };
    match parsed.and_then(|time| time.timestamp()) {
        Some(time) => Ok(Value::Str(time.to_string())),
        None => refuse(path, &value, "must be a time such as 2024-02-29T12:00:00Z"),
    }
}

fn decimal(path: &str, value: Value) -> Checked {
    let text = match &value {
        Value::Str(text) => Some(text.clone()),
        Value::Decimal(number) => Some(number.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    };
    let number = text.and_then(|text| text.parse::<Decimal>().ok());
    match number {
        Some(number) if number < Decimal::ZERO => refuse(path, &value, "must not be negative"),
        Some(number) => Ok(Value::Str(number.to_string())),
        None => refuse(path, &value, "must be a decimal number"),
    }
}

fn object(path: &str, max_bytes: usize, value: Value) -> Checked {
    let Value::Map(_) = &value else {
        return refuse(path, &value, "must be an object");
    };
    let bytes = serde_json::to_vec(&value).map_or(usize::MAX, |json| json.len());
    if bytes > max_bytes {
        let rule = format!("must be at most {max_bytes} bytes as JSON, it is {bytes}");
        return refuse(path, &value, &rule);
    }
    Ok(value)
}

fn list(path: &str, value: Value) -> Result<Vec<Value>, ArgumentError> {
    match value {
        Value::List(items) => Ok(items),
        other => Err(ArgumentError::value(path, &other, "must be a list")),
    }
}
