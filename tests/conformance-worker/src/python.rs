//! What Python's operators make of values.

use protocol::Value;
use worker::Outcome;

/// `left + right`: numbers, two texts, two lists.
pub(crate) fn add(left: Value, right: Value) -> Result<Value, Outcome> {
    match (left, right) {
        (Value::Str(left), Value::Str(right)) => Ok(Value::Str(left + &right)),
        (Value::List(left), Value::List(right)) => Ok(Value::List([left, right].concat())),
        (left, right) => match (number(&left), number(&right)) {
            (Some(left), Some(right)) => add_numbers(left, right),
            _ => Err(unsupported("+", &left, &right)),
        },
    }
}

/// `left * right` of whole numbers.
pub(crate) fn multiply(left: i64, right: i64) -> Result<i64, Outcome> {
    left.checked_mul(right).ok_or_else(overflow)
}

/// `sum(values)`.
pub(crate) fn sum(values: Value) -> Result<Value, Outcome> {
    iterate(values)?.into_iter().try_fold(Value::Int(0), add)
}

/// The items of something that can be iterated.
pub(crate) fn iterate(value: Value) -> Result<Vec<Value>, Outcome> {
    match value {
        Value::List(items) => Ok(items),
        other => {
            let text = format!("'{}' object is not iterable", type_name(&other));
            Err(Outcome::fail("TypeError", text))
        }
    }
}

/// Whether `if value` takes it for true.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Str(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => map.iter().next().is_some(),
        other => number(other).is_none_or(|number| number.as_f64() != 0.0),
    }
}

#[derive(Clone, Copy)]
enum Number {
    Whole(i64),
    Real(f64),
}

impl Number {
    fn as_f64(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Bool(value) => Some(Number::Whole(i64::from(*value))),
        Value::Int(value) => Some(Number::Whole(*value)),
        Value::Float(value) => Some(Number::Real(*value)),
        _ => None,
    }
}

fn add_numbers(left: Number, right: Number) -> Result<Value, Outcome> {
    match (left, right) {
        (Number::Whole(left), Number::Whole(right)) => {
            left.checked_add(right).map(Value::Int).ok_or_else(overflow)
        }
        (left, right) => Ok(Value::Float(left.as_f64() + right.as_f64())),
    }
}

fn overflow() -> Outcome {
    Outcome::fail("OverflowError", "the number needs more than 64 bits")
}

fn unsupported(operator: &str, left: &Value, right: &Value) -> Outcome {
    let (left, right) = (type_name(left), type_name(right));
    let text = format!("unsupported operand type(s) for {operator}: '{left}' and '{right}'");
    Outcome::fail("TypeError", text)
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::BigInt(_) => "int",
        Value::Float(_) => "float",
        Value::Str(_) => "str",
        Value::Bytes(_) => "bytes",
        Value::DateTime(_) => "datetime",
        Value::Date(_) => "date",
        Value::Time(_) => "time",
        Value::Decimal(_) => "Decimal",
        Value::Uuid(_) => "UUID",
        Value::List(_) => "list",
        Value::Map(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_takes_what_pythons_takes() {
        let list = |items: &[i64]| Value::from(items.to_vec());
        assert_eq!(add(1.into(), true.into()).unwrap(), Value::Int(2));
        assert_eq!(add(1.into(), 0.5.into()).unwrap(), Value::Float(1.5));
        assert_eq!(add("a".into(), "b".into()).unwrap(), Value::from("ab"));
        assert_eq!(add(list(&[1]), list(&[2])).unwrap(), list(&[1, 2]));
    }

    #[test]
    fn plus_refuses_other_pairs_in_pythons_words() {
        let Err(Outcome::Fail(failure)) = add(1.into(), "b".into()) else {
            panic!("must fail")
        };
        assert_eq!(
            failure.exception.repr(),
            r#"TypeError("unsupported operand type(s) for +: 'int' and 'str'")"#
        );
    }

    #[test]
    fn a_sum_starts_at_zero() {
        assert_eq!(sum(Value::List(Vec::new())).unwrap(), Value::Int(0));
        assert_eq!(sum(Value::from(vec![1, 2, 3])).unwrap(), Value::Int(6));
        assert!(sum(Value::Int(1)).is_err());
    }

    #[test]
    fn truth_is_pythons() {
        let values = [Value::Null, 0.into(), 0.0.into(), "".into(), false.into()];
        assert!(!values.iter().any(is_true));
        assert!(is_true(&Value::Int(-1)) && is_true(&Value::from("0")));
    }
}
