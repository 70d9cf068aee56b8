//! How a child is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The command that starts a child: a program that calls [`crate::run_child`] with the worker's own registry and settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, its name not among them.
    pub args: Vec<OsString>,
    /// What it finds in its environment besides the worker's own.
    pub env: Vec<(OsString, OsString)>,
}

/// Names the running program itself, also when its file has been replaced or deleted since it was started.
const ITSELF: &str = "/proc/self/exe";

impl ChildCommand {
    /// This program with these arguments.
    ///
    /// # Errors
    /// When the system does not say which program this is.
    pub fn this_program(args: Vec<OsString>) -> std::io::Result<Self> {
        let program = if Path::new(ITSELF).exists() {
            ITSELF.into()
        } else {
            std::env::current_exe()?
        };
        Ok(Self {
            program,
            args,
            env: Vec::new(),
        })
    }
}
