//! `celeriac finance import-statement` and `reconcile`, and the report on what they found.

use serde_json::json;

use crate::ledgers::{LEDGER, import, two_users};
use crate::sandbox::{Sandbox, stderr, stdout};

const STATEMENT: &str =
    "kind,date,settle_date,type,symbol,isin,quantity,price,amount,currency,external_id,description
header,2010-03-31,,,,,,,,USD,ACC-001,
transaction,2010-03-01,,deposit,,,,,15000.00,USD,D-1,wire
transaction,2010-03-02,2010-03-05,buy,IBM,,100,127.40,-12749.95,USD,B-77,
transaction,2010-03-09,2010-03-12,buy,AAPL,,10,223.02,-2240.15,USD,B-78,
transaction,2010-03-12,,dividend,IBM,,,,46.75,USD,,net of tax
position,2010-03-31,,,IBM,,100,128.25,,USD,,
position,2010-03-31,,,AAPL,,10,235.00,,USD,,
cash,2010-03-31,,,,,,,56.65,USD,,
";

async fn with_statement() -> Sandbox {
    let sandbox = Sandbox::new();
    two_users(&sandbox).await;
    import(&sandbox, LEDGER);
    let file = sandbox.file("march.csv", STATEMENT);
    let command = ["finance", "import-statement", file.to_str().unwrap()];
    let first = stdout(&sandbox.run(&command).success());
    assert_eq!(first, "statement 1 of account 1 on 2010-03-31: 7 lines\n");
    let again = sandbox.json(&command);
    assert_eq!((&again["new"], &again["lines"]), (&json!(false), &json!(7)));
    sandbox
}

#[tokio::test]
async fn what_differs_is_said_and_ends_the_command_with_one() {
    let sandbox = with_statement().await;
    let reconcile = ["finance", "reconcile"];
    let text = stdout(&sandbox.run(&reconcile).code(1));
    for expected in [
        "Main     2010-03-31  breaks",
        "missing_in_ledger",
        "cash_mismatch",
    ] {
        assert!(text.contains(expected), "{expected} is missing:\n{text}");
    }
    // The dividend that was missing.
    let rows = "account,date,type,symbol,amount,currency\nMain,2010-03-12,dividend,IBM,46.75,USD\n";
    import(&sandbox, rows);
    let found = sandbox.json(&reconcile);
    assert_eq!(
        (&found[0]["status"], &found[0]["breaks"]),
        (&json!("matched"), &json!([]))
    );
    assert_eq!(found[0]["closed"], 2, "{found}");
}

#[tokio::test]
async fn a_persons_word_on_a_break_stays_until_it_is_taken_back() {
    let sandbox = with_statement().await;
    sandbox.run(&["finance", "reconcile"]).code(1);
    let show = ["finance", "breaks", "show"];
    let found = sandbox.json(&show);
    let id = found[0]["id"].to_string();
    let first = &found[0];
    assert_eq!(
        (&first["status"], &first["account"]),
        (&json!("open"), &json!("Main"))
    );
    let word = |verb: &str, note: &str| {
        let command = ["finance", "breaks", verb, &id, "--note", note];
        sandbox.run(&command).success();
        sandbox.json(&show)
    };
    let known = word("acknowledge", "the bank was asked");
    assert_eq!(
        (&known[0]["status"], &known[0]["note"]),
        (&json!("acknowledged"), &json!("the bank was asked"))
    );
    let text = stdout(&sandbox.run(&show).success());
    assert!(text.contains("the bank was asked"), "{text}");
    let settled = word("resolve", "waived");
    assert_eq!(
        settled.as_array().unwrap().len() + 1,
        found.as_array().unwrap().len()
    );
    let ever = sandbox.json(&["finance", "breaks", "show", "--account", "1", "--all"]);
    assert_eq!(
        ever.as_array().unwrap().len(),
        found.as_array().unwrap().len()
    );
    assert_eq!(word("reopen", "")[0]["status"], "open");
}

#[tokio::test]
async fn statements_that_cannot_be_read_are_refused_whole() {
    let sandbox = Sandbox::new();
    two_users(&sandbox).await;
    let refused = |name: &str, text: &[u8], more: &[&str]| {
        let path = sandbox.path().join(name);
        std::fs::write(&path, text).unwrap();
        let command = ["finance", "import-statement", path.to_str().unwrap()];
        stderr(&sandbox.run(&[&command[..], more].concat()).code(1))
    };
    let of = |from: &str, to: &str| STATEMENT.replace(from, to).into_bytes();
    let cases = [
        ("no-head.csv", of("header,2010", "note,2010"), "kind"),
        ("nan.csv", of("-12749.95", "NaN"), "amount = \"NaN\""),
        (
            "date.csv",
            of("2010-03-12,,dividend", "12.03.2010,,dividend"),
            "date = \"12.03.2010\"",
        ),
        (
            "other.csv",
            of("ACC-001", "ACC-002"),
            "no account has the custodian's number \"ACC-002\"",
        ),
        ("cut.json", b"{\"account\": \"ACC-0".to_vec(), "cut.json"),
        ("empty.ofx", Vec::new(), "empty.ofx"),
        (
            "page.qfx",
            b"<!DOCTYPE html><html></html>".to_vec(),
            "page.qfx",
        ),
        ("picture.png", Vec::new(), "must end with .csv"),
    ];
    for (name, text, expected) in cases {
        let said = refused(name, &text, &[]);
        assert!(said.contains(expected), "{name}: {said}");
    }
    let latin = [&b"\xe4"[..], STATEMENT.as_bytes()].concat();
    assert!(!refused("latin.csv", &latin, &[]).is_empty());
    let foreign = refused("good.csv", STATEMENT.as_bytes(), &["--account", "99"]);
    assert!(foreign.contains("account 99 does not exist"), "{foreign}");
    // Nothing has been kept of any of them.
    let text = stdout(&sandbox.run(&["finance", "reconcile"]).success());
    assert_eq!(
        text,
        "no account has a statement; celeriac finance import-statement FILE brings one\n"
    );
    let unknown = ["finance", "reconcile", "--account", "99"];
    let text = stderr(&sandbox.run(&unknown).code(1));
    assert!(text.contains("account 99 does not exist"), "{text}");
}

#[tokio::test]
async fn the_reconciliation_report_lists_the_breaks() {
    let sandbox = with_statement().await;
    sandbox.run(&["finance", "reconcile"]).code(1);
    let report = [
        "finance",
        "report",
        "--user",
        "1",
        "--type",
        "reconciliation",
    ];
    let range = [
        "--end",
        "2010-04-30",
        "--format",
        "html",
        "--format",
        "json",
    ];
    let written = sandbox.json(&[&report[..], &range[..]].concat());
    assert_eq!(written.as_array().unwrap().len(), 2, "{written}");
    let path = written[0]["path"].as_str().unwrap();
    assert!(path.ends_with("reconciliation-1-2010-04-30.html"), "{path}");
    let page = std::fs::read_to_string(sandbox.path().join(path)).unwrap();
    assert!(page.contains("missing in ledger"), "{page}");
    // Another user's report says nothing of it.
    let other = [
        "finance",
        "report",
        "--user",
        "2",
        "--type",
        "reconciliation",
    ];
    let written = sandbox.json(&[&other[..], &range[..]].concat());
    let path = written[0]["path"].as_str().unwrap();
    let page = std::fs::read_to_string(sandbox.path().join(path)).unwrap();
    assert!(page.contains("No account was compared"), "{page}");
}
