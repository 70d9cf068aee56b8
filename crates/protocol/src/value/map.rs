//! The insertion-ordered map with unique text keys.

use std::collections::HashMap;

use compact_str::CompactString;

use super::Value;

/// A key of a [`Map`], or another short text. Up to 24 bytes lie in it without memory of their own, which nearly every key is content
/// with: messages, headers and events are made of thousands of them.
pub type Key = CompactString;

/// Up to this many entries a scan is faster than hashing.
const SCAN: usize = 16;

/// A map with text keys that keeps the order of insertion. Equality ignores the order, as in Python.
#[derive(Clone, Default)]
pub struct Map {
    entries: Vec<(Key, Value)>,
    /// Position of each key; only kept above [`SCAN`] entries, so that a hostile map with a
    /// million keys costs no quadratic time.
    index: Option<Box<Index>>,
}

/// Position of each key.
#[derive(Clone)]
struct Index(HashMap<Key, usize>);

/// Iterator over the entries of a [`Map`] by reference.
pub type Iter<'a> = std::iter::Map<
    std::slice::Iter<'a, (Key, Value)>,
    fn(&'a (Key, Value)) -> (&'a str, &'a Value),
>;

/// Iterator over the entries of a [`Map`] by value.
pub type IntoIter = std::vec::IntoIter<(Key, Value)>;

impl Map {
    /// An empty map.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
            index: None,
        }
    }

    /// An empty map with room for so many entries.
    pub fn with_capacity(entries: usize) -> Self {
        Self {
            entries: Vec::with_capacity(entries),
            index: None,
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.position(key).map(|at| &self.entries[at].1)
    }

    /// The value of `key`, to be changed in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.position(key).map(|at| &mut self.entries[at].1)
    }

    /// True when `key` is present.
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Sets `key`; an existing key keeps its place and its old value is returned.
    pub fn insert(&mut self, key: impl Into<Key>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.get_mut(&key) {
            Some(slot) => Some(std::mem::replace(slot, value)),
            None => {
                self.push_new(key, value);
                None
            }
        }
    }

    /// Appends a key that must be new; gives the entry back when it is not.
    pub fn try_insert(&mut self, key: impl Into<Key>, value: Value) -> Result<(), (Key, Value)> {
        let key = key.into();
        if self.contains_key(&key) {
            return Err((key, value));
        }
        self.push_new(key, value);
        Ok(())
    }

    /// Removes `key`, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.position(key)?;
        let (_, value) = self.entries.remove(at);
        self.index = None;
        self.reindex();
        Some(value)
    }

    /// Keeps the entries for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        self.entries.retain(|(key, value)| keep(key, value));
        self.index = None;
        self.reindex();
    }

    /// The entries in order.
    pub fn iter(&self) -> Iter<'_> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| key.as_str())
    }

    /// Appends a key the caller knows to be new.
    pub(crate) fn push_new(&mut self, key: Key, value: Value) {
        if let Some(index) = &mut self.index {
            index.0.insert(key.clone(), self.entries.len());
        }
        self.entries.push((key, value));
        self.reindex();
    }

    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.0.get(key).copied(),
            None => self.entries.iter().position(|(name, _)| name == key),
        }
    }

    fn reindex(&mut self) {
        if self.index.is_none() && self.entries.len() > SCAN {
            let positions = self.entries.iter().enumerate();
            let positions = positions.map(|(at, (key, _))| (key.clone(), at)).collect();
            self.index = Some(Box::new(Index(positions)));
        }
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, value)| other.get(key) == Some(value))
    }
}

impl std::fmt::Debug for Map {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<Key>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Into<Key>, V: Into<Value>> Extend<(K, V)> for Map {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl IntoIterator for Map {
    type Item = (Key, Value);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        self.entries.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a str, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
