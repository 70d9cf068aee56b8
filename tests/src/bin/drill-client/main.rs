//! Sends the drill's tasks and reads their results, on the broker that the environment names.
//!
//! `send JOURNAL COUNT MILLISECONDS`, `send-from FIRST …`, `large …`, `compute …`, `flows JOURNAL COUNT MILLISECONDS`, `unsuccessful COUNT`,
//! `later JOURNAL NUMBER SECONDS`, `echo JSON`, `lost COUNT`, `trees FILE`, `group-save`, `group-restore ID`

mod commands;
mod flows;
mod trees;

use std::process::ExitCode;

use service::{CommonArgs, Error, Program, Service};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let program = Program::new("drill-client", &CommonArgs::default(), Vec::new());
    service::run(program, async move |service: Service| {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        commands::run(&service.client()?, &words)
            .await
            .map_err(Error::program)
    })
}
