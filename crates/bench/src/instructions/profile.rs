//! What callgrind has counted, by function, as `callgrind_annotate` prints it.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Instructions by a name.
pub(super) type Counts = HashMap<String, f64>;

/// One line: the instructions of a function itself.
#[derive(Debug, PartialEq)]
struct Line {
    count: f64,
    function: String,
    /// File name of the program or library.
    object: String,
}

/// One run.
#[derive(Debug)]
pub(super) struct Profile(Vec<Line>);

impl Profile {
    /// Reads what callgrind has written to a file.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let output = Command::new("callgrind_annotate")
            .args(["--threshold=100", "--auto=no"])
            .arg(file)
            .output()
            .context("cannot start callgrind_annotate")?;
        let lines: Vec<Line> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(Line::parse)
            .collect();
        ensure!(
            !lines.is_empty(),
            "callgrind has counted nothing: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(Self(lines))
    }

    /// All instructions.
    pub(super) fn total(&self) -> f64 {
        self.0.iter().map(|line| line.count).sum()
    }

    /// By function, whatever file its parts come from.
    pub(super) fn by_function(&self) -> Counts {
        self.by(|line| line.function.clone())
    }

    /// By crate; what is not Rust by its library.
    pub(super) fn by_crate(&self) -> Counts {
        self.by(Line::crate_name)
    }

    fn by(&self, name: impl Fn(&Line) -> String) -> Counts {
        let mut counts = Counts::new();
        for line in &self.0 {
            *counts.entry(name(line)).or_default() += line.count;
        }
        counts
    }
}

impl Line {
    /// `1,234 ( 5.6%)  file:function [object]`; `None` for every other line.
    fn parse(line: &str) -> Option<Self> {
        let (count, rest) = line.trim_start().split_once(" (")?;
        let count = count.replace(',', "").parse().ok()?;
        let (_, place) = rest.split_once("%)")?;
        let (place, object) = match place.trim().rsplit_once(" [") {
            Some((place, object)) => (place, object.trim_end_matches(']')),
            None => (place.trim(), ""),
        };
        let (_, function) = place.split_once(':')?;
        Some(Self {
            count,
            function: function.to_owned(),
            object: object.rsplit('/').next().unwrap_or_default().to_owned(),
        })
    }

    fn crate_name(&self) -> String {
        let function = self
            .function
            .trim_start_matches(['<', '&', '(', '*', '[', ' '])
            .trim_start_matches("mut ")
            .trim_start_matches("dyn ");
        match function.split_once("::") {
            Some((name, _)) if name.chars().all(is_of_name) => name.to_owned(),
            _ if self.function.starts_with("sqlite3") => "SQLite".to_owned(),
            _ if self.object.is_empty() => "unknown".to_owned(),
            _ => self.object.clone(),
        }
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_function_is_read() {
        let line =
            " 1,234,567 ( 5.21%)  ???:<redis::cmd::Cmd as Clone>::clone [/tmp/x/bench-worker]";
        let line = Line::parse(line).unwrap();
        assert_eq!(line.count, 1_234_567.0);
        assert_eq!(line.function, "<redis::cmd::Cmd as Clone>::clone");
        assert_eq!(line.crate_name(), "redis");
    }

    #[test]
    fn what_is_not_rust_belongs_to_its_library() {
        let line =
            "12 (0.01%)  ./malloc/malloc.c:_int_malloc [/usr/lib/x86_64-linux-gnu/libc.so.6]";
        assert_eq!(Line::parse(line).unwrap().crate_name(), "libc.so.6");
        let line = "12 (0.01%)  ???:sqlite3VdbeExec [/tmp/bench-worker]";
        assert_eq!(Line::parse(line).unwrap().crate_name(), "SQLite");
    }

    #[test]
    fn other_lines_are_none() {
        let lines = [
            "100 (100.0%)  PROGRAM TOTALS",
            "Ir",
            "-- Profiled target:  valgrind (PID 1)",
            "",
        ];
        assert!(lines.iter().all(|line| Line::parse(line).is_none()));
    }
}
