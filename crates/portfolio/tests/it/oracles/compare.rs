//! Comparing JSON values as oracles ask: every expected value, and nothing besides it but nulls.

use serde_json::{Map, Value};

/// Information only, never compared.
const INFORMATION: &str = "crosscheck";

/// Compared as a set.
const SET: &str = "warnings";

#[derive(Default)]
pub(crate) struct Comparison {
    compared: usize,
    differences: Vec<String>,
}

impl Comparison {
    pub(crate) fn case(&mut self, id: &str, expected: &Value, actual: &Value) {
        let before = self.compared;
        self.value(id, expected, actual);
        assert!(self.compared > before, "{id}: nothing was compared");
    }

    pub(crate) fn compared(&self) -> usize {
        self.compared
    }

    pub(crate) fn assert_equal(&self) {
        let shown: Vec<&String> = self.differences.iter().take(40).collect();
        assert!(
            self.differences.is_empty(),
            "{} differences: {shown:#?}",
            self.differences.len()
        );
    }

    fn value(&mut self, path: &str, expected: &Value, actual: &Value) {
        match (expected, actual) {
            (Value::Object(expected), Value::Object(actual)) => self.object(path, expected, actual),
            (Value::Array(expected), Value::Array(actual)) if path.ends_with(SET) => {
                self.array(path, &sorted(expected), &sorted(actual))
            }
            (Value::Array(expected), Value::Array(actual)) => self.array(path, expected, actual),
            _ => self.leaf(path, expected, actual),
        }
    }

    fn object(&mut self, path: &str, expected: &Map<String, Value>, actual: &Map<String, Value>) {
        self.compared += 1;
        for (key, value) in expected.iter().filter(|(key, _)| *key != INFORMATION) {
            match actual.get(key) {
                Some(found) => self.value(&format!("{path}/{key}"), value, found),
                None => self
                    .differences
                    .push(format!("{path}/{key}: not computed, expected {value}")),
            }
        }
        for (key, value) in actual
            .iter()
            .filter(|(key, value)| !expected.contains_key(*key) && !value.is_null())
        {
            self.differences
                .push(format!("{path}/{key}: not expected, computed {value}"));
        }
    }

    fn array(&mut self, path: &str, expected: &[Value], actual: &[Value]) {
        self.compared += 1;
        if expected.len() != actual.len() {
            self.differences.push(format!(
                "{path}: {} items, expected {}",
                actual.len(),
                expected.len()
            ));
        }
        for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
            self.value(&format!("{path}/{index}"), expected, actual);
        }
    }

    fn leaf(&mut self, path: &str, expected: &Value, actual: &Value) {
        self.compared += 1;
        let equal = match (expected, actual) {
            (Value::Number(a), Value::Number(b)) if a.is_f64() => {
                near(a.as_f64().unwrap(), b.as_f64().unwrap())
            }
            _ => expected == actual,
        };
        if !equal {
            self.differences
                .push(format!("{path}: {actual}, expected {expected}"));
        }
    }
}

fn near(expected: f64, actual: f64) -> bool {
    (actual - expected).abs() <= 1e-12 + 1e-8 * expected.abs()
}

fn sorted(values: &[Value]) -> Vec<Value> {
    let mut sorted = values.to_vec();
    sorted.sort_by_key(ToString::to_string);
    sorted
}
