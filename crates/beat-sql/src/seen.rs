//! What was seen of a table's rows, and which of them are others now. It owns the comparison; it asks nothing.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::database::Cells;

/// The rows of a table by their keys. Keys and what rows hold are kept as hashes: a name and 16 bytes for each row.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    rows: HashMap<u64, Mark>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Mark {
    name: Box<str>,
    print: u64,
}

/// What a scan found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The names of entries that are new, others or gone.
    pub(crate) names: Vec<String>,
    met: HashSet<u64>,
}

impl Seen {
    /// How many rows are known.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Compares a row: its key, its name and a text of all that matters.
    pub(crate) fn meet(&mut self, row: Cells, scan: &mut Scan) {
        let [key, name, print] = <[_; 3]>::try_from(row).unwrap_or_default();
        let key = self.hasher.hash_one(key);
        let name = name.unwrap_or_default().into_boxed_str();
        let mark = Mark {
            print: self.hasher.hash_one((&name, print)),
            name,
        };
        scan.met.insert(key);
        let (print, name) = (mark.print, mark.name.clone());
        let before = self.rows.insert(key, mark);
        if before.as_ref().is_some_and(|before| before.print == print) {
            return;
        }
        let renamed = before.filter(|before| before.name != name);
        scan.names.extend(renamed.map(|before| before.name.into()));
        scan.names.push(name.into());
    }

    /// Notes a row that is there, whatever it holds.
    pub(crate) fn meet_key(&self, row: Cells, scan: &mut Scan) {
        let key = row.into_iter().next().flatten();
        scan.met.insert(self.hasher.hash_one(key));
    }

    /// Ends a scan that met every row: what it did not meet is gone.
    pub(crate) fn end(&mut self, mut scan: Scan) -> Vec<String> {
        let gone = self.rows.extract_if(|key, _| !scan.met.contains(key));
        scan.names.extend(gone.map(|(_, mark)| mark.name.into()));
        scan.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(seen: &mut Seen, rows: &[(&str, &str, &str)], all: bool) -> Vec<String> {
        let mut scan = Scan::default();
        for (key, name, print) in rows {
            let cells = [key, name, print].map(|cell| Some((*cell).to_owned()));
            seen.meet(cells.into(), &mut scan);
        }
        if all { seen.end(scan) } else { scan.names }
    }

    #[test]
    fn only_what_is_another_is_named() {
        let mut seen = Seen::default();
        let rows = [("1", "a", "x"), ("2", "b", "x"), ("3", "c", "x")];
        assert_eq!(meet(&mut seen, &rows, true), ["a", "b", "c"]);
        assert!(meet(&mut seen, &rows, true).is_empty());
        assert_eq!(meet(&mut seen, &[("2", "b", "y")], false), ["b"]);
        assert_eq!(meet(&mut seen, &[("2", "d", "y")], false), ["b", "d"]);
        assert_eq!(seen.len(), 3, "a part says nothing of what is gone");
        assert_eq!(
            meet(&mut seen, &[("2", "d", "y"), ("4", "e", "x")], true).len(),
            3
        );
        assert_eq!(seen.len(), 2);
    }
}
