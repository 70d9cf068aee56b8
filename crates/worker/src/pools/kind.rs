//! The kinds of pools, with Celery's names.

/// Where a task runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pool {
    /// On the async runtime; the hard time limit ends it at its next await.
    #[default]
    Async,
    /// On a thread of its own, for code that computes or blocks. A thread cannot be killed: after the hard limit the failure
    /// is stored, and the slot is free when the thread ends.
    Blocking,
    /// In a child process of this program, which can be killed: for code that may hang, crash or eat the memory.
    Prefork,
    /// On the async runtime, one at a time.
    Solo,
}

/// Celery's names, and ours. What gevent and eventlet are to Python, the async runtime is here.
const NAMES: [(&str, Pool); 8] = [
    ("async", Pool::Async),
    ("threads", Pool::Blocking),
    ("prefork", Pool::Prefork),
    ("solo", Pool::Solo),
    ("processes", Pool::Prefork),
    ("gevent", Pool::Async),
    ("eventlet", Pool::Async),
    ("blocking", Pool::Blocking),
];

impl Pool {
    /// The pool that Celery calls so; `None` when it is none of them.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, pool)| *pool)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(_, pool)| *pool == self)
            .map_or("async", |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn celery_s_names_are_known() {
        let names = ["prefork", "threads", "solo", "gevent", "eventlet", "async"];
        let pools = names.map(|name| Pool::from_name(name).map(Pool::name));
        assert_eq!(
            pools,
            ["prefork", "threads", "solo", "async", "async", "async"].map(Some)
        );
        assert_eq!(Pool::from_name("celery.concurrency.Custom"), None);
    }
}
