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
  78  wrong settings";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
