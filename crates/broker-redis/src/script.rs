//! The scripts that run on the server. A script is known there by its hash; a server that has forgotten it says so without having
//! done anything, and [`crate::link::Link`] then loads all of them and repeats.

use std::sync::LazyLock;

use redis::{Cmd, Pipeline};

/// The code of the error that says so.
pub(crate) const FORGOTTEN: &str = "NOSCRIPT";

/// One script.
#[derive(Debug)]
pub(crate) struct Script {
    source: &'static str,
    hash: String,
}

impl Script {
    fn new(source: &'static str) -> Self {
        Self {
            source,
            hash: redis::Script::new(source).get_hash().to_owned(),
        }
    }

    /// A call with these keys; arguments follow.
    pub(crate) fn on<K: AsRef<str>>(&self, keys: &[K]) -> Cmd {
        let mut call = redis::cmd("EVALSHA");
        call.arg(&self.hash).arg(keys.len());
        for key in keys {
            call.arg(key.as_ref());
        }
        call
    }
}

macro_rules! scripts {
    ($($name:ident = $($file:literal)+;)*) => {
        $(pub(crate) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!($(include_str!(concat!("lua/", $file))),+)));)*

        /// Loads every script.
        pub(crate) fn load_all() -> Pipeline {
            let mut pipeline = Pipeline::new();
            $(pipeline.cmd("SCRIPT").arg("LOAD").arg($name.source);)*
            pipeline
        }
    };
}

scripts! {
    RESERVE = "reserve.lua";
    SETTLE = "success.lua" "chord.lua" "settle.lua";
    FINISH = "success.lua" "finish.lua";
    STORE = "success.lua" "store.lua";
    REGISTER = "pulse.lua" "register.lua";
    RENEW = "pulse.lua" "renew.lua";
    RETIRE = "retire.lua";
    CLAIM = "pulse.lua" "claim.lua";
    RESTORE = "restore.lua";
    REFRESH = "refresh.lua";
    PROMOTE = "promote.lua";
    RELEASE = "release.lua";
    BIND = "bind.lua";
    ACQUIRE = "acquire.lua";
    LEAVE = "leave.lua";
    COMMIT = "commit.lua";
    UNPARK = "unpark.lua";
    CHORD = "chord.lua" "chord_call.lua";
    PARTS = "parts.lua";
    REMEMBER = "remember.lua";
    REMEMBERED = "remembered.lua";
}
