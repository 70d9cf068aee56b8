//! Bad input from every side in one system: each piece is refused or left out with a code, everything else goes on, and nothing
//! is half-written.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use testkit::{Receiver, bin};

use super::calls::{Call, Expected};
use super::system::System;

/// What Bruno never had.
const OVERSELL: &str = "account,date,type,symbol,quantity,price,currency
Depot,2013-02-01,sell,IBM,1000000,200,USD
";
/// One good price among four.
const PRICES: &str = "date,open,high,low,close,volume
2013-03-04,,,,427.8,1
2013-03-05,,,,NaN,1
2013-03-06,,,,0,1
2013-03-07,,,,-1,1
";
const STATEMENT: &str = "kind,date,type,symbol,quantity,amount,currency,external_id,description
header,2013-02-28,,,,,,DEPOT-1,
position,2013-02-28,,IBM,1,,,,Zürich
";
/// A file this large is the largest that the disk has room for, in KiB: enough for what SQLite needs to read.
const ROOM: usize = 36;

/// How a call must end.
enum Ending {
    /// With an exception of this type.
    Fails(&'static str),
    /// As `partial`, with errors of these items, each with its code.
    Leaves(&'static [(&'static str, &'static str)]),
}

use Ending::{Fails, Leaves};

const CASES: &[(&str, &str, Ending)] = &[
    // Ids of others and of nobody.
    (
        "finflow.core.tasks.refresh_portfolio_analytics",
        r#"{"user_id": 2, "portfolio_ids": [1]}"#,
        Fails("Forbidden"),
    ),
    (
        "calculate_portfolio_performance",
        r#"{"user_id": 2, "portfolio_id": 1}"#,
        Fails("Forbidden"),
    ),
    (
        "create_portfolio_snapshot",
        r#"{"user_id": 2, "portfolio_id": 1}"#,
        Fails("Forbidden"),
    ),
    (
        "generate_portfolio_report",
        r#"{"user_id": 2, "portfolio_id": 1}"#,
        Fails("Forbidden"),
    ),
    (
        "app.tasks.reconciliation.reconcile_account",
        r#"{"user_id": 2, "account_id": 1}"#,
        Fails("Forbidden"),
    ),
    (
        "dashboard.tasks.export_dashboard_data",
        r#"{"user_id": 99}"#,
        Fails("NotFound"),
    ),
    (
        "apps.main.tasks.send_notification",
        r#"{"user_id": 99, "message": "m"}"#,
        Fails("NotFound"),
    ),
    (
        "apps.main.tasks.process_user_action",
        r#"{"user_id": 99, "action": "login"}"#,
        Fails("NotFound"),
    ),
    // Paths that lead elsewhere, one of them by a link.
    (
        "apps.main.tasks.backup_data",
        r#"{"destination": "../../elsewhere"}"#,
        Fails("InvalidArgument"),
    ),
    (
        "apps.main.tasks.cleanup_temp_files",
        r#"{"temp_dir": "/etc"}"#,
        Fails("InvalidArgument"),
    ),
    (
        "finflow.core.tasks.cleanup_old_logs",
        r#"{"log_dir": "data/logs/link"}"#,
        Fails("InvalidArgument"),
    ),
    (
        "app.tasks.reconciliation.reconcile_all_accounts",
        r#"{"statement_dir": "data/statements/.."}"#,
        Fails("InvalidArgument"),
    ),
    // A page instead of prices, a file that was cut off.
    (
        "fetch_market_data",
        r#"{"symbols": ["AAPL", "GOOG", "IBM"], "start": "2013-03-04", "end": "2013-03-08"}"#,
        Leaves(&[("GOOG", "bad_payload"), ("IBM", "bad_payload")]),
    ),
    // More sold than held.
    (
        "finflow.core.tasks.refresh_portfolio_analytics",
        r#"{"as_of": "2013-03-01", "full": true}"#,
        Leaves(&[("3", "oversell")]),
    ),
    // Statements in other encodings.
    (
        "app.tasks.reconciliation.reconcile_all_accounts",
        r#"{"as_of": "2013-03-01"}"#,
        Leaves(&[
            ("latin-1.csv", "bad_statement"),
            ("utf-16.csv", "bad_statement"),
            ("3", "LedgerError"),
        ]),
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_has_a_code_and_stops_nothing_else() {
    let web = Receiver::start().await;
    web.answers_with(200, "<html>please accept our cookies</html>");
    let page = json!({"page": {"shape": "tiingo", "base_url": web.url(""), "tries": 1}});
    let mut system = System::start().copy(vec![
        ("CELERIAC_MARKET_DATA_PROVIDERS", r#"["folder"]"#.to_owned()),
        ("CELERIAC_MARKET_DATA_HTTP", page.to_string()),
    ]);
    spoil(&system).await;
    system.start_worker().await;
    let calls: Vec<Call> = CASES
        .iter()
        .map(|(task, kwargs, _)| Call {
            task,
            args: "[]",
            kwargs,
            expected: Expected::Envelope,
        })
        .collect();
    let answers = system.call_from_python("bad", &calls);
    let mut wrong = Vec::new();
    for ((task, kwargs, ending), answer) in CASES.iter().zip(&answers) {
        if !as_meant(ending, answer) {
            wrong.push(format!("{task} {kwargs}\n  {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(answers.len(), CASES.len());
    only_what_is_right_was_written(&system.state());
}

fn as_meant(ending: &Ending, answer: &Value) -> bool {
    let result = &answer["result"];
    match ending {
        Fails(kind) => answer["state"] == "FAILURE" && result["exception"] == *kind,
        Leaves(expected) => {
            let errors = result["errors"].as_array().into_iter().flatten();
            let mut found: Vec<(String, String)> = errors
                .map(|error| (plain(&error["id"]), plain(&error["code"])))
                .collect();
            found.sort();
            let mut expected: Vec<(String, String)> = expected
                .iter()
                .map(|(id, code)| ((*id).to_owned(), (*code).to_owned()))
                .collect();
            expected.sort();
            result["status"] == "partial" && found == expected
        }
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Prices, statements and a ledger with mistakes; a link out of the log folder.
async fn spoil(system: &System) {
    let data = system.data();
    for folder in ["market", "statements", "logs"] {
        fs::create_dir_all(data.join(folder)).unwrap();
    }
    fs::write(data.join("market/AAPL.csv"), PRICES).unwrap();
    fs::write(
        data.join("market/IBM.parquet"),
        b"PAR1\x15\x04\x15\x10 cut off",
    )
    .unwrap();
    fs::write(data.join("statements/depot.csv"), STATEMENT).unwrap();
    let latin_1: Vec<u8> = STATEMENT
        .chars()
        .map(|c| u8::try_from(c).unwrap())
        .collect();
    fs::write(data.join("statements/latin-1.csv"), latin_1).unwrap();
    let utf_16 = ['\u{feff}'].into_iter().chain(STATEMENT.chars());
    let utf_16: Vec<u8> = utf_16.flat_map(|c| (c as u16).to_le_bytes()).collect();
    fs::write(data.join("statements/utf-16.csv"), utf_16).unwrap();
    symlink("/etc", data.join("logs/link")).unwrap();
    let prepared = [
        "UPDATE accounts SET custodian = 'Bank', custodian_account_no = 'DEPOT-1' WHERE name = 'Depot'",
        "UPDATE assets SET provider = 'page' WHERE symbol = 'GOOG'",
    ];
    system.database.run(&prepared.map(str::to_owned)).await;
    let ledger = system.folder.path().join("oversell.csv");
    fs::write(&ledger, OVERSELL).unwrap();
    let imported = system
        .command("celeriac")
        .args(["finance", "import-transactions", "--user", "2"])
        .arg(&ledger)
        .output();
    succeeded(&imported.unwrap());
}

fn succeeded(output: &Output) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
}

fn only_what_is_right_was_written(state: &Value) {
    let rows = |table: &str| state[table].as_array().unwrap();
    let of_march: Vec<&Value> = rows("prices")
        .iter()
        .filter(|row| row["date"].as_str() > Some("2013-03-01"))
        .collect();
    let [price] = of_march.as_slice() else {
        panic!("{of_march:?}")
    };
    assert_eq!(
        (&price["date"], &price["close"]),
        (&json!("2013-03-04"), &json!("427.8"))
    );
    assert_eq!(rows("statements").len(), 1);
    assert_eq!(rows("reconciliations")[0]["status"], "error");
    assert_eq!(rows("report_artifacts").len(), 0);
    assert_eq!(rows("backups").len(), 0);
    assert_eq!(rows("notifications").len(), 0);
}

#[test]
fn a_disk_that_is_full_is_told_and_leaves_nothing() {
    let system = System::start();
    let reports = system.data().join("reports");
    let backups = system.data().join("backups");
    for (folder, arguments) in [
        (
            &reports,
            "finance report --user 1 --end 2013-03-01 --format pdf",
        ),
        (
            &reports,
            "finance report --user 1 --end 2013-03-01 --format html",
        ),
        (&reports, "finance export --user 1 --format csv"),
        (&reports, "finance export --user 1 --format json"),
        (&backups, "finance backup"),
    ] {
        let output = on_a_small_disk(&system, arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments} found room");
        assert!(text.contains("disk is full"), "{arguments}: {text}");
        assert_eq!(files(folder), 0, "{arguments} left something");
    }
}

/// No file can become larger than the room that there is, which the system tells a program as it tells a full disk.
fn on_a_small_disk(system: &System, arguments: &str) -> Output {
    let program = bin("celeriac");
    let limited = format!(
        "trap '' XFSZ; ulimit -f {ROOM}; exec {} {arguments}",
        program.display()
    );
    let mut shell = Command::new("bash");
    let shell = shell.args(["-c", &limited]);
    shell.current_dir(system.folder.path()).output().unwrap()
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}
