//! `celeriac finance calculate-performance`, `snapshot`, `targets` and `attribution`.

use serde_json::json;

use crate::ledgers::{LEDGER, import, two_users};
use crate::sandbox::{Sandbox, stderr, stdout};

async fn with_ledger() -> Sandbox {
    let sandbox = Sandbox::new();
    two_users(&sandbox).await;
    import(&sandbox, LEDGER);
    sandbox
}

fn run(sandbox: &Sandbox, command: &str) -> String {
    let arguments: Vec<&str> = command.split_whitespace().collect();
    stdout(&sandbox.run(&arguments).success())
}

fn json(sandbox: &Sandbox, command: &str) -> serde_json::Value {
    sandbox.json(&command.split_whitespace().collect::<Vec<_>>())
}

fn refused(sandbox: &Sandbox, command: &str, code: i32) -> String {
    let arguments: Vec<&str> = command.split_whitespace().collect();
    stderr(&sandbox.run(&arguments).code(code))
}

#[tokio::test]
async fn performance_is_shown_by_range_holding_and_rolling_window() {
    let sandbox = with_ledger().await;
    let range = "finance calculate-performance -u 1 --start 2010-02-28 --end 2010-03-31";
    let found = json(&sandbox, range);
    let period = &found["data"]["portfolios"][0]["performance"]["periods"][0];
    assert_eq!(period["figures"]["nav_end"], "15184.9");
    // 100 IBM from 127.40 to 128.25, 10 AAPL from 223.02 to 235, fees of 19.90.
    assert_eq!(period["gains"]["holdings"]["total"], "184.9");
    assert_eq!(period["gains"]["by_holding"]["IBM"]["price"], "75.05");

    let text = run(
        &sandbox,
        &format!("{range} --holdings --rolling 5 --portfolio 1"),
    );
    for expected in [
        "15184.9 USD",
        "IBM",
        "75.05",
        "AAPL",
        "109.85",
        "2010-03-31",
    ] {
        assert!(text.contains(expected), "{expected} is missing:\n{text}");
    }
    let rolled = text.lines().last().unwrap();
    assert!(
        rolled.starts_with("Main") && rolled.contains(" 5 "),
        "{text}"
    );
    let year = run(
        &sandbox,
        "finance calculate-performance -u 1 --period ytd --period max --end 2010-03-31",
    );
    assert!(year.contains("ytd") && year.contains("max"), "{year}");
}

#[tokio::test]
async fn foreign_and_impossible_ranges_are_refused() {
    let sandbox = with_ledger().await;
    let refused = |command: &str, code| refused(&sandbox, command, code);
    let performance = "finance calculate-performance";
    let cases = [
        ("-u 9", 1, "user 9 does not exist"),
        ("-u 1 --portfolio 9", 1, "portfolio 9 does not exist"),
        (
            "-u 1 --portfolio 2",
            1,
            "portfolio 2 belongs to another user",
        ),
        ("-u 1 --benchmark NONE", 1, "asset NONE does not exist"),
        (
            "-u 1 --start 2010-03-02 --end 2010-03-01",
            1,
            "must not be after end",
        ),
        (
            "-u 1 --start 2999-01-01",
            1,
            "must not be after the last day",
        ),
        ("-u 1 --days 0", 64, "0 is not in 1..=36500"),
        ("-u 1 --period fortnight", 64, "must be one of 1d"),
        (
            "-u 1 --end 31.12.2012",
            64,
            "must be a date such as 2012-12-31",
        ),
        (
            "-u 1 --end 9999-12-31",
            1,
            "end = 9999-12-31: must not be in the future",
        ),
        ("-u 1 --end 2010-02-30", 64, "2010-02-30"),
        ("-u 1 --rolling 1", 64, "1 is not in 2..=10000"),
        ("-u one", 64, "one"),
    ];
    for (arguments, code, expected) in cases {
        let text = refused(&format!("{performance} {arguments}"), code);
        assert!(text.contains(expected), "{arguments}: {text}");
    }
}

#[tokio::test]
async fn snapshots_are_kept_once_and_for_days_that_have_been() {
    let sandbox = with_ledger().await;
    let snapshot = "finance snapshot --date 2010-03-31";
    let text = run(&sandbox, snapshot);
    assert!(
        text.starts_with("2010-03-31: 1 created, 0 updated, 0 unchanged, 0 failed\n"),
        "{text}"
    );
    assert!(
        text.contains("net asset value") && text.contains("15184.9 USD"),
        "{text}"
    );
    let again = json(&sandbox, snapshot);
    assert_eq!(
        (&again["data"]["created"], &again["data"]["unchanged"]),
        (&json!(0), &json!(1))
    );
    let forced = json(&sandbox, &format!("{snapshot} --force --user 1"));
    assert_eq!(forced["data"]["updated"], 1, "{forced}");
    let refused = |arguments: &str| refused(&sandbox, &format!("finance snapshot {arguments}"), 1);
    let future = refused("--date 2999-01-01");
    assert!(future.contains("date = 2999-01-01"), "{future}");
    assert!(refused("--user 1 --portfolio 2").contains("belongs to another user"));
    assert!(refused("--portfolio 9").contains("portfolio 9 does not exist"));
}

#[tokio::test]
async fn targets_are_set_shown_followed_and_forgotten() {
    let sandbox = with_ledger().await;
    let whose = "-u 1 --portfolio 1";
    let nothing = run(&sandbox, "finance targets propose -u 1");
    assert!(nothing.contains("no portfolio has targets"), "{nothing}");
    let set = format!("finance targets set {whose} --by symbol ibm=50 AAPL=40.5:2 --cash 100");
    let shown = run(&sandbox, &set);
    assert!(shown.contains("AAPL   40.50 %  2.00 %"), "{shown}");
    let plan = json(&sandbox, "finance targets show -u 1");
    assert_eq!(plan[0]["targets"][0]["weight"], "0.405");
    assert_eq!(plan[0]["cash_kept"], "100");

    let propose = "finance targets propose -u 1 --as-of 2010-03-31";
    let text = run(&sandbox, propose);
    // 15,084.90 are to be divided: 7,542.45 in IBM, 6,109.38 in AAPL.
    for expected in [
        "sell   41        IBM",
        "buy    15        AAPL",
        "cash afterwards: 1,743.15 USD",
    ] {
        assert!(text.contains(expected), "{expected} is missing:\n{text}");
    }
    let deposit = json(&sandbox, &format!("{propose} --deposit 1000"));
    assert_eq!(deposit[0]["trades"][0]["side"], "buy");
    assert_eq!(
        deposit[0]["trades"].as_array().unwrap().len(),
        1,
        "{deposit}"
    );
    assert_eq!(deposit[0]["trades"][0]["quantity"], "3");

    let gone = run(&sandbox, &format!("finance targets remove {whose}"));
    assert_eq!(gone, "targets of Main: forgotten\n");
    assert_eq!(json(&sandbox, "finance targets show -u 1"), json!([]));
}

#[tokio::test]
async fn targets_that_make_no_sense_are_refused() {
    let sandbox = with_ledger().await;
    let cases = [
        (
            "set -u 1 --portfolio 2 equity=50",
            1,
            "portfolio 2 belongs to another user",
        ),
        (
            "set -u 1 --portfolio 9 equity=50",
            1,
            "portfolio 9 does not exist",
        ),
        (
            "set -u 1 --portfolio 1 equity=50 bond=51",
            1,
            "weights = equity 50 % + bond 51 % = 101 %: must not add up to more than 100 %",
        ),
        (
            "set -u 1 --portfolio 1 equity=50 equity=5",
            1,
            "must be named once",
        ),
        (
            "set -u 1 --portfolio 1 cash=50",
            1,
            "cash is what the weights leave",
        ),
        (
            "set -u 1 --portfolio 1 equity=-5",
            1,
            "weight = -5 % of equity: must be from 0 to 100 %",
        ),
        (
            "set -u 1 --portfolio 1 equity=5:200",
            1,
            "band = 200 % of equity: must be from 0 to 100 %",
        ),
        (
            "set -u 1 --portfolio 1 --by symbol NONE=5",
            1,
            "there is no asset NONE",
        ),
        (
            "set -u 1 --portfolio 1 equity=5 --buy bond=IBM",
            64,
            "there is no such target",
        ),
        ("set -u 1 --portfolio 1 equity=NaN", 64, "equity=NaN"),
        ("set -u 1 --portfolio 1", 64, "NAME=PERCENT"),
        ("propose -u 1 --deposit 0", 64, "must be above zero"),
        ("propose -u 9", 1, "user 9 does not exist"),
        ("remove -u 1 --portfolio 2", 1, "belongs to another user"),
    ];
    for (arguments, code, expected) in cases {
        let text = refused(&sandbox, &format!("finance targets {arguments}"), code);
        assert!(text.contains(expected), "{arguments}: {text}");
    }
}

#[tokio::test]
async fn a_portfolio_is_compared_with_its_targets_and_with_a_mix() {
    let sandbox = with_ledger().await;
    let attribution = "finance attribution -u 1 --start 2010-03-09 --end 2010-03-31";
    let nothing = run(&sandbox, attribution);
    assert!(nothing.contains("no portfolio has targets"), "{nothing}");
    // 128.25 / 127.40 - 1 is 0.67 %; all of what is held is equity, and cash earns nothing.
    let mix = run(&sandbox, &format!("{attribution} equity=100:ibm"));
    for expected in ["the mix 0.67 %, active return", "equity", "cash", "total"] {
        assert!(mix.contains(expected), "{expected} is missing:\n{mix}");
    }
    run(
        &sandbox,
        "finance targets set -u 1 --portfolio 1 --by symbol IBM=60 AAPL=40",
    );
    let found = &json(&sandbox, attribution)[0];
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let effects = ["allocation", "selection", "interaction"];
    let sum: f64 = effects
        .iter()
        .map(|effect| number(&found["totals"][effect]))
        .sum();
    let rest = number(&found["active_return"]) - sum - number(&found["rest"]);
    assert!(rest.abs() < 1e-12, "{found}");
    assert_eq!(found["portfolio"], "Main");
    assert!((number(&found["sides"]["AAPL"]["benchmark_weight"]) - 0.4).abs() < 1e-12);

    let cases = [
        ("equity=100", 1, "no symbol says what equity returned"),
        ("equity=100:NONE", 1, "asset NONE does not exist"),
        (
            "equity=60:IBM bond=50:IBM",
            1,
            "must not add up to more than 100 %",
        ),
        ("equity", 64, "must be such as equity=60:SPY"),
        ("equity=60:", 64, "must name a symbol behind the colon"),
        ("equity=100:IBM --period 1y", 64, "cannot be used with"),
        ("equity=100:IBM --portfolio 2", 1, "belongs to another user"),
    ];
    for (arguments, code, expected) in cases {
        let text = refused(&sandbox, &format!("{attribution} {arguments}"), code);
        assert!(text.contains(expected), "{arguments}: {text}");
    }
    let backwards = "finance attribution -u 1 --start 2010-03-31 --end 2010-03-09 equity=100:IBM";
    let text = refused(&sandbox, backwards, 1);
    assert!(text.contains("must not be after the last day"), "{text}");
}
