//! Beginning anew: the same program with the same arguments in the same process, so that its number stays.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Becomes the program that this process was started as. Returns only when that fails.
pub(crate) fn restart() -> io::Error {
    let mut words = std::env::args_os();
    // By its name and not by /proc/self/exe: an update has put a new file in the place of the one that runs.
    let program = words.next().unwrap_or_else(|| OsString::from("celeriac"));
    Command::new(program).args(words).exec()
}
