//! Arguments for people, as Celery prints them in logs, events and `argsrepr`.
//!
//! Python's `repr` within a length and a depth. Display only: nothing reads it back.

pub(crate) mod exact;
mod python;

use crate::value::{Map, Value};

/// What stands for whatever did not fit.
const REST: &str = ", ...";

/// Prints a value as Celery's `saferepr` does, within about `maxlen` characters and `maxlevels`
/// levels (0 for any depth).
pub fn saferepr(value: &Value, maxlen: usize, maxlevels: usize) -> String {
    let mut printer = Printer::new(maxlen, maxlevels);
    printer.value(value, 0);
    printer.out
}

/// Prints positional arguments: like [`saferepr`] of a list, in the round brackets of a tuple.
pub fn saferepr_args(args: &[Value], maxlen: usize, maxlevels: usize) -> String {
    let close = if args.len() == 1 { ",)" } else { ")" };
    let mut printer = Printer::new(maxlen, maxlevels);
    printer.list(args, 0, ("(", close));
    printer.out
}

/// Prints keyword arguments: like [`saferepr`] of a map.
pub fn saferepr_kwargs(kwargs: &Map, maxlen: usize, maxlevels: usize) -> String {
    let mut printer = Printer::new(maxlen, maxlevels);
    printer.map(kwargs, 0);
    printer.out
}

struct Printer {
    out: String,
    /// Characters left; may become negative by the last thing printed.
    left: isize,
    maxlevels: usize,
    /// Set once something was left out: only closing brackets follow.
    stopped: bool,
}

impl Printer {
    fn new(maxlen: usize, maxlevels: usize) -> Self {
        let left = isize::try_from(maxlen).unwrap_or(isize::MAX);
        Self {
            out: String::new(),
            left,
            maxlevels,
            stopped: false,
        }
    }

    fn value(&mut self, value: &Value, level: usize) {
        match value {
            Value::List(items) => self.list(items, level, ("[", "]")),
            Value::Map(map) => self.map(map, level),
            _ if !self.room() => {}
            Value::Str(text) => self.quoted(text),
            Value::Bytes(bytes) => {
                let text = python::bytes(bytes, self.limit());
                self.print(&text);
            }
            scalar => {
                let text = truncate(&python::scalar(scalar), self.limit());
                self.print(&text);
            }
        }
    }

    fn list(&mut self, items: &[Value], level: usize, brackets: (&str, &str)) {
        if !self.open(level, brackets) {
            return;
        }
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.literal(", ");
            }
            if self.stopped {
                break;
            }
            self.value(item, level + 1);
        }
        self.print(brackets.1);
    }

    fn map(&mut self, map: &Map, level: usize) {
        if !self.open(level, ("{", "}")) {
            return;
        }
        for (index, (key, value)) in map.iter().enumerate() {
            if index > 0 {
                self.literal(", ");
            }
            if !self.stopped && self.room() {
                self.quoted(key);
                self.literal(": ");
            }
            if self.stopped {
                break;
            }
            self.value(value, level + 1);
        }
        self.print("}");
    }

    /// Prints the opening bracket; false when the contents are not to be printed.
    fn open(&mut self, level: usize, (open, close): (&str, &str)) -> bool {
        if !self.room() {
            return false;
        }
        let too_deep = self.maxlevels > 0 && level >= self.maxlevels;
        self.print(open);
        if too_deep {
            self.print("...");
            self.print(close);
        }
        !too_deep
    }

    fn literal(&mut self, text: &str) {
        if !self.stopped && self.room() {
            self.print(text);
        }
    }

    fn quoted(&mut self, text: &str) {
        let text = truncate(text, self.limit()).replace('\'', "\\'");
        self.print(&format!("'{text}'"));
    }

    fn print(&mut self, text: &str) {
        self.out.push_str(text);
        self.left = self.left.saturating_sub_unsigned(text.chars().count());
    }

    /// True when something more may be printed; says once that something is missing.
    fn room(&mut self) -> bool {
        if self.left > 0 {
            return true;
        }
        if !self.stopped {
            self.stopped = true;
            self.out.push_str(REST);
        }
        false
    }

    fn limit(&self) -> usize {
        self.left.max(0).unsigned_abs()
    }
}

/// Cuts a text of `limit` characters or more, at its last space if it has one.
fn truncate(text: &str, limit: usize) -> String {
    let cut = text.char_indices().nth(limit.saturating_sub(1));
    let Some((last, letter)) = cut else {
        return text.to_owned();
    };
    let kept = &text[..last + letter.len_utf8()];
    format!(
        "{}...",
        kept.rsplit_once(' ').map_or(kept, |(words, _)| words)
    )
}
