//! The scheduler's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::beat_main("celeriac-beat")
}
