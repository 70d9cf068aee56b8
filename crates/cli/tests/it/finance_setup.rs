//! From an empty folder to figures, with nothing but the command line.

use serde_json::json;

use crate::sandbox::{Sandbox, stderr, stdout};

const LEDGER: &str = "account,date,type,symbol,quantity,price,amount,currency,to_currency,to_amount
Main,2024-01-02,deposit,,,,10000,USD,,
Main,2024-01-03,buy,tst,50,100,,USD,,
Main,2024-01-04,fx_conversion,,,,1100,USD,EUR,1000
";
const PRICES: &str = "date,close\n2024-01-03,100\n2024-01-31,110\n";
const RATES: &str = "Date,USD\n2024-01-02,1.1\n2024-01-31,1.1\n";
const ACTIONS: &str = "symbol,ex_date,type,value,currency\nTST,2024-01-10,dividend,0.5,USD\n";

/// A database with a user, an account, a portfolio and an asset.
fn set_up() -> Sandbox {
    let sandbox = Sandbox::new();
    let made = stdout(&sandbox.run(&["finance", "init"]).success());
    assert!(made.contains("data/finance.db"), "{made}");
    assert!(made.contains("next: celeriac finance users set"), "{made}");
    for command in [
        &["users", "set", "ada@example.org", "--name", "Ada"][..],
        &["accounts", "set", "-u", "1", "Main"],
        &[
            "assets",
            "set",
            "tst",
            "--name",
            "Test Inc.",
            "--sector",
            "Technology",
        ],
        &[
            "portfolios",
            "set",
            "-u",
            "1",
            "Everything",
            "--benchmark",
            "tst",
            "--risk-free",
            "2.5",
        ],
    ] {
        sandbox.run(&[&["finance"][..], command].concat()).success();
    }
    sandbox
}

#[test]
fn a_user_with_a_ledger_gets_figures_without_a_demo() {
    let sandbox = set_up();
    let file = |name: &str, text: &str| sandbox.file(name, text).to_str().unwrap().to_owned();
    let (prices, ledger) = (file("p.csv", PRICES), file("l.csv", LEDGER));
    let (rates, actions) = (file("r.csv", RATES), file("a.csv", ACTIONS));
    for command in [
        &["import-prices", "TST", &prices][..],
        &["import-rates", &rates],
        &["import-actions", &actions],
        &["import-transactions", "-u", "1", &ledger],
    ] {
        let report = sandbox.json(&[&["finance"][..], command].concat());
        assert_eq!(report["bad"], 0, "{command:?}: {report}");
        assert_ne!(report["written"], 0, "{command:?}: {report}");
    }
    let range = ["--start", "2024-01-02", "--end", "2024-01-31"];
    let command = [&["finance", "calculate-performance", "-u", "1"][..], &range].concat();
    let figures = sandbox.json(&command);
    let portfolio = &figures["data"]["portfolios"][0]["performance"]["periods"][0];
    // 3,900 dollars, 1,000 euros at 1.10 and 50 shares at 110.
    assert_eq!(portfolio["figures"]["nav_end"], "10500", "{figures}");
    assert_eq!(figures["warnings"], json!([]));
    // No later price is known: the value stands still, which is said.
    let late = [
        "finance",
        "calculate-performance",
        "-u",
        "1",
        "--end",
        "2024-06-28",
    ];
    let said = stderr(&sandbox.run(&late).success());
    let expected = "portfolio 1: stale_prices: the last price of TST is 149 days old";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_job_without_a_worker_says_that_it_waits_for_one() {
    let sandbox = set_up();
    let command = ["finance", "run", "analytics", "--timeout", "4"];
    let said = stderr(&sandbox.run(&command).code(69));
    assert!(
        said.contains("note: no worker answers on this broker"),
        "{said}"
    );
}

#[test]
fn what_is_set_again_changes_and_is_shown() {
    let sandbox = set_up();
    let user = [
        "finance",
        "users",
        "set",
        "ada@example.org",
        "--name",
        "Ada Lovelace",
        "--currency",
        "GBP",
    ];
    let changed = json!([{"id": 1, "email": "ada@example.org", "display_name": "Ada Lovelace", "base_currency": "GBP"}]);
    assert_eq!(sandbox.json(&user), changed);
    assert_eq!(sandbox.json(&["finance", "users", "show"]), changed);

    let set = [
        "finance",
        "accounts",
        "set",
        "-u",
        "1",
        "Depot",
        "--custodian",
        "Bank",
        "--number",
        "D-1",
    ];
    let account = sandbox.json(&set)[0].clone();
    assert_eq!(
        (&account["currency"], &account["custodian_account_no"]),
        (&json!("GBP"), &json!("D-1"))
    );
    // The number stays when the account is changed without it.
    let again = sandbox.json(&[
        "finance",
        "accounts",
        "set",
        "-u",
        "1",
        "Depot",
        "--currency",
        "EUR",
    ]);
    assert_eq!(
        (&again[0]["currency"], &again[0]["custodian_account_no"]),
        (&json!("EUR"), &json!("D-1"))
    );
    assert_eq!(
        sandbox
            .json(&["finance", "accounts", "show", "-u", "1"])
            .as_array()
            .unwrap()
            .len(),
        2
    );

    let shown = sandbox.json(&["finance", "portfolios", "show"]);
    let (accounts, benchmark) = (&shown[0]["accounts"], &shown[0]["benchmark"]);
    assert_eq!(
        (accounts, benchmark, &shown[0]["risk_free_rate"]),
        (&json!(["Main"]), &json!("TST"), &json!("0.025"))
    );
    let one = [
        "finance",
        "portfolios",
        "set",
        "-u",
        "1",
        "Everything",
        "--account",
        "Depot",
        "--calendar",
        "XETR",
    ];
    let shown = sandbox.json(&one);
    assert_eq!(
        (&shown[0]["accounts"], &shown[0]["calendar"]),
        (&json!(["Depot"]), &json!("XETR"))
    );
    let text = stdout(&sandbox.run(&["finance", "assets", "show"]).success());
    assert!(text.contains("TST") && text.contains("XNYS"), "{text}");
}

#[test]
fn how_a_user_is_told_is_kept_and_its_secret_not_shown() {
    let sandbox = set_up();
    let notify = ["finance", "users", "notify", "-u", "1"];
    let text = stdout(&sandbox.run(&notify).success());
    assert!(text.contains("in the application only"), "{text}");
    let secret = sandbox.file("hook.key", "of the hook\n");
    let hook = [
        "--by",
        "webhook",
        "--by",
        "in_app",
        "--webhook",
        "https://example.org/hook",
        "--secret",
    ];
    sandbox.json(&[&notify[..], &hook, &[secret.to_str().unwrap()]].concat());
    let shown = sandbox.json(&[&notify[..], &["--device", "t-1"]].concat());
    let expected = json!({
        "channels": ["webhook", "in_app"],
        "webhook": {"url": "https://example.org/hook", "secret": "********"},
        "push": {"token": "t-1"},
    });
    assert_eq!(shown, expected);
}

#[test]
fn what_is_not_given_stays_as_it_was_set() {
    let sandbox = set_up();
    let set = |command: &str| {
        let words = ["finance"].into_iter().chain(command.split(' '));
        sandbox.json(&words.collect::<Vec<_>>())
    };
    let same = |first: &str, again: &str| assert_eq!(set(first), set(again), "{again}");
    same(
        "users set ada@example.org --name Ada --currency GBP",
        "users set ada@example.org",
    );
    set("accounts set -u 1 Other");
    same(
        "accounts set -u 1 Main --currency EUR --allow-short --custodian Bank --number 7",
        "accounts set -u 1 Main",
    );
    same(
        "portfolios set -u 1 Some --account Main --currency EUR --calendar XETR --lot-method hifo \
         --automatic-income --risk-free 2.5 --benchmark tst",
        "portfolios set -u 1 Some",
    );
    same(
        "assets set tst --class etf --sector Energy --country DE --currency EUR --calendar XETR",
        "assets set tst --name Renamed",
    );
    let changed =
        set("portfolios set -u 1 Some --no-benchmark --all-accounts --automatic-income=false");
    assert_eq!(changed[0]["benchmark"], json!(null));
    assert_eq!(changed[0]["accounts"], json!(["Main", "Other"]));
    assert_eq!(changed[0]["automatic_income"], false);
    assert_eq!(changed[0]["lot_method"], "hifo");
    assert_eq!(
        set("accounts set -u 1 Main --allow-short=false")[0]["allow_short"],
        false
    );
}

#[test]
fn what_is_retired_is_gone_from_lists_until_it_is_set_again() {
    let sandbox = set_up();
    for (kind, owned, name) in [
        ("accounts", &["-u", "1"][..], "Main"),
        ("portfolios", &["-u", "1"], "Everything"),
        ("assets", &[], "tst"),
    ] {
        let command = |verb| [&["finance", kind, verb], owned, &[name]].concat();
        let shown = || sandbox.json(&["finance", kind, "show"]);
        let before = shown();
        assert_eq!(sandbox.json(&command("retire")), json!([]), "{kind}");
        assert_eq!(shown(), json!([]), "{kind}");
        let back = sandbox.json(&command("set"));
        assert_eq!(back[0]["id"], before[0]["id"], "{kind}");
        assert_eq!(shown(), back, "{kind}");
    }
}

/// The file that a command's help shows.
fn shown_file(sandbox: &Sandbox, command: &str) -> String {
    let help = stdout(&sandbox.run(&["finance", command, "--help"]).success());
    let lines = help.lines().filter_map(|line| line.strip_prefix("  "));
    let rows = lines.filter(|line| line.contains(',') && !line.contains(' '));
    rows.map(|row| format!("{row}\n")).collect()
}

#[test]
fn the_files_that_help_shows_can_be_imported() {
    let sandbox = set_up();
    sandbox.run(&["finance", "assets", "set", "AAPL"]).success();
    for (command, arguments, rows) in [
        ("import-prices", &["AAPL"][..], 1),
        ("import-transactions", &["--user", "1"], 2),
        ("import-rates", &[], 2),
        ("import-actions", &[], 2),
    ] {
        let file = sandbox.file("shown.csv", &shown_file(&sandbox, command));
        let words = [&["finance", command], arguments, &[file.to_str().unwrap()]].concat();
        let report = sandbox.json(&words);
        assert_eq!(report["bad"], 0, "{command}: {report}");
        assert_eq!(report["written"], rows, "{command}: {report}");
    }
}

/// Runs commands, each of which ends with `code` and says what is beside it.
fn refused(sandbox: &Sandbox, code: i32, commands: &[(&str, &str)]) {
    for (command, said) in commands {
        let words: Vec<&str> = ["finance"].into_iter().chain(command.split(' ')).collect();
        let text = stderr(&sandbox.run(&words).code(code));
        assert!(text.contains(said), "{command}: {text}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_what_would() {
    let wrong = [
        ("users set ada", "must be a mail address"),
        (
            "users set a@b.c --currency DOLLAR",
            "three letters such as USD",
        ),
        (
            "users notify -u 1 --by pigeon",
            "in_app, email, webhook, push",
        ),
        (
            "users notify -u 1 --webhook https://example.org",
            "--secret",
        ),
        ("accounts set -u 1 \t", "1 to 200 characters"),
        ("portfolios set -u 1 \u{1b}[2J", "1 to 200 characters"),
        ("assets set ABC --class stamp", "equity, etf, fund"),
        (
            "portfolios set -u 1 All --lot-method random",
            "fifo, lifo, hifo",
        ),
        ("portfolios set -u 1 All --risk-free NaN", "NaN"),
        ("breaks resolve", "<ID>"),
    ];
    refused(&Sandbox::new(), 64, &wrong);
}

#[test]
fn what_is_not_there_is_named_with_what_to_do() {
    let sandbox = Sandbox::new();
    refused(
        &sandbox,
        1,
        &[("users show", "celeriac finance init makes one")],
    );
    sandbox.run(&["finance", "init"]).success();
    let missing = [
        ("accounts set -u 7 Main", "user 7 does not exist"),
        ("accounts show -u 7", "user 7 does not exist"),
        ("portfolios show -u 7", "user 7 does not exist"),
        ("portfolios retire -u 7 All", "user 7 has no portfolio All"),
        ("accounts retire -u 7 Main", "user 7 has no account Main"),
        ("assets retire ABC", "there is no asset ABC"),
        ("users notify -u 7", "user 7 does not exist"),
        (
            "assets set ABC --calendar XMAS",
            "unknown calendar XMAS: use XNYS",
        ),
        (
            "import-prices NONE none.csv",
            "celeriac finance assets set NONE adds it",
        ),
        ("import-rates none.csv", "none.csv"),
        ("breaks resolve 3", "there is no break 3"),
        ("breaks show --account 9", "account 9 does not exist"),
    ];
    refused(&sandbox, 1, &missing);
    sandbox.run(&["finance", "users", "set", "a@b.c"]).success();
    let missing = [
        (
            "portfolios set -u 1 All --account Main",
            "user 1 has no account Main",
        ),
        (
            "portfolios set -u 1 All --calendar XMAS",
            "unknown calendar XMAS",
        ),
        (
            "portfolios set -u 1 All --benchmark SPY",
            "there is no asset SPY",
        ),
    ];
    refused(&sandbox, 1, &missing);
    assert_eq!(sandbox.json(&["finance", "portfolios", "show"]), json!([]));
    let empty = ["finance", "portfolios", "set", "-u", "1", "All"];
    let said = stderr(&sandbox.run(&empty).success());
    assert!(said.contains("note: user 1 has no account yet"), "{said}");
}
