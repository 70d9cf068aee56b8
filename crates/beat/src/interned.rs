//! Values that very many entries have in common, each kept once for as long as somebody uses it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

/// Fewer texts than this are not looked through for those that nobody uses.
const FEW: usize = 1_000;

/// The values that are in use, by their text.
#[derive(Debug)]
pub(crate) struct Interned<T: ?Sized>(LazyLock<Mutex<Known<T>>>);

#[derive(Debug)]
struct Known<T: ?Sized> {
    values: HashMap<Box<str>, Weak<T>>,
    /// When there are so many, unused ones are dropped.
    most: usize,
}

impl<T: ?Sized> Interned<T> {
    pub(crate) const fn new() -> Self {
        Self(LazyLock::new(Mutex::default))
    }

    /// The value of this text; made if nobody uses one.
    pub(crate) fn get<E>(
        &self,
        text: &str,
        make: impl FnOnce() -> Result<Arc<T>, E>,
    ) -> Result<Arc<T>, E> {
        if let Some(value) = self.lock().values.get(text).and_then(Weak::upgrade) {
            return Ok(value);
        }
        let value = make()?;
        self.lock().insert(text, &value);
        Ok(value)
    }

    fn lock(&self) -> MutexGuard<'_, Known<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interned<str> {
    /// The text itself.
    pub(crate) fn text(&self, text: &str) -> Arc<str> {
        let Ok(text) = self.get(text, || Ok::<_, Infallible>(text.into()));
        text
    }
}

impl<T: ?Sized> Known<T> {
    fn insert(&mut self, text: &str, value: &Arc<T>) {
        if self.values.len() >= self.most {
            self.values.retain(|_, value| value.strong_count() > 0);
            self.most = FEW.max(2 * self.values.len());
        }
        self.values.insert(text.into(), Arc::downgrade(value));
    }
}

impl<T: ?Sized> Default for Known<T> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
            most: FEW,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_not_for_ever() {
        static TEXTS: Interned<str> = Interned::new();
        let first = TEXTS.text("first");
        assert!(Arc::ptr_eq(&first, &TEXTS.text("first")));
        for number in 0..10 * FEW {
            TEXTS.text(&number.to_string());
        }
        assert!(TEXTS.lock().values.len() <= FEW);
        assert!(Arc::ptr_eq(&first, &TEXTS.text("first")));
    }
}
