//! The exit codes of all programs. They are part of the interface: scripts and systemd read them.

use std::process::ExitCode;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked.
    Ok = 0,
    /// It failed.
    Failure = 1,
    /// The command line is wrong.
    Usage = 64,
    /// Nobody answered: no worker, or no broker.
    Unavailable = 69,
    /// A worker took nothing although there was work, and could not mend that.
    Stalled = 75,
    /// The settings are wrong.
    Configuration = 78,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The list for `--help`.
    pub const HELP: &'static str = "Exit codes:
  0   done
  1   failed
  64  wrong command line
  69  nobody answered: no worker, or no broker
  75  a worker took nothing although messages were ready; a restart may help
  78  wrong settings";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
