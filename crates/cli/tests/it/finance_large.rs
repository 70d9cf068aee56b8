//! Files larger than the memory that there is, and in other encodings, imported as people do.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::thread;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;

use crate::ledgers::two_users;
use crate::sandbox::Sandbox;

/// The data that the process may hold, in KiB: far less than comes.
const MEMORY: usize = 80_000;
/// How much comes.
const BYTES: usize = 120_000_000;
/// A row may be 64 KiB long.
const PADDING: usize = 60_000;

#[tokio::test]
async fn a_stream_larger_than_the_memory_is_imported() {
    let sandbox = Sandbox::new();
    two_users(&sandbox).await;
    let pipe = sandbox.path().join("prices.csv");
    mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let writer = thread::spawn({
        let pipe = pipe.clone();
        move || write_prices(&pipe)
    });
    let program = env!("CARGO_BIN_EXE_celeriac");
    let limited =
        format!("ulimit -d {MEMORY}; exec {program} finance import-prices IBM prices.csv --json");
    let mut command: Command = sandbox.std_command(Path::new("bash"), &["-c", &limited]);
    // Each thread has a stack, which counts as data.
    let output = command.env("TOKIO_WORKER_THREADS", "2").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let rows = writer.join().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["rows"], rows, "{report}");
    assert_eq!(report["written"], DAYS, "{report}");
    assert_eq!(report["bad"], 0, "{report}");
}

/// Days that come again and again.
const DAYS: usize = 28;

/// Prices with many zeros before them; returns how many rows they are.
fn write_prices(pipe: &Path) -> usize {
    let mut file = BufWriter::new(File::create(pipe).unwrap());
    file.write_all(b"date,close\n").unwrap();
    let zeros = "0".repeat(PADDING);
    let rows = BYTES / PADDING;
    for row in 0..rows {
        writeln!(file, "2010-05-{:02},{zeros}127.40", row % DAYS + 1).unwrap();
    }
    file.flush().unwrap();
    rows
}

/// A statement with a name that not every encoding writes alike.
const STATEMENT: &str = "kind,date,type,symbol,quantity,amount,currency,external_id,description
header,2010-03-31,,,,,,ACC-001,
position,2010-03-31,,IBM,100,,,,Zürich
";

#[tokio::test]
async fn statements_are_read_in_utf_8_and_refused_in_other_encodings() {
    let sandbox = Sandbox::new();
    two_users(&sandbox).await;
    let utf_16 = |swap: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let marked = format!("\u{feff}{STATEMENT}");
        marked.encode_utf16().flat_map(swap).collect()
    };
    let latin_1: Vec<u8> = STATEMENT.chars().map(|c| c as u8).collect();
    for (name, bytes) in [
        ("little.csv", utf_16(u16::to_le_bytes)),
        ("big.csv", utf_16(u16::to_be_bytes)),
        ("latin-1.csv", latin_1),
    ] {
        std::fs::write(sandbox.path().join(name), bytes).unwrap();
        let refused = sandbox
            .run(&["finance", "import-statement", name])
            .failure();
        let said = crate::sandbox::stderr(&refused);
        assert!(
            said.contains(name) && said.contains("UTF-8"),
            "{name}: {said}"
        );
    }
    sandbox.file("marked.csv", &format!("\u{feff}{STATEMENT}"));
    let taken = sandbox.json(&["finance", "import-statement", "marked.csv"]);
    assert_eq!(taken["lines"], 1, "{taken}");
}
