//! Accounts beside their custodians' statements, through the store: formats, refusals, and breaks from run to run.

use jiff::civil::date;
use portfolio::Error;
use portfolio::import::{ImportedStatement, Source, import_statement, read_statement};
use portfolio::reconciliation::{ReconcileData, ReconcileRequest, reconcile_account};
use portfolio::store::Store;

use crate::world::{Server, World, now, on_both_servers};

const LEDGER: &str = "account,date,type,symbol,quantity,price,amount,fee,tax,currency,external_id
Main,2010-03-01,deposit,,,,15000.00,0,0,USD,D-1
Main,2010-03-02,buy,IBM,100,127.40,,9.95,0,USD,B-77
Main,2010-03-09,buy,AAPL,10,223.02,,9.95,0,USD,B-78
";

const DIVIDEND: &str = "account,date,type,symbol,amount,tax,currency
Main,2010-03-10,dividend,IBM,55.00,8.25,USD
";

const STATEMENT: &str =
    "kind,date,settle_date,type,symbol,isin,quantity,price,amount,currency,external_id,description
header,2010-03-31,,,,,,,,USD,ACC-001,
transaction,2010-03-01,,deposit,,,,,15000.00,USD,D-1,wire
transaction,2010-03-02,2010-03-05,buy,IBM,US4592001014,100,127.40,-12749.95,USD,B-77,
transaction,2010-03-09,2010-03-12,buy,AAPL,US0378331005,10,223.02,-2240.15,USD,B-78,
transaction,2010-03-12,,dividend,IBM,US4592001014,,,46.75,USD,,net of tax
position,2010-03-31,,,IBM,US4592001014,100,128.25,,USD,,
position,2010-03-31,,,AAPL,US0378331005,10,235.00,,USD,,
cash,2010-03-31,,,,,,,56.65,USD,,
";

/// A world with an account that holds two assets, and the account's id.
async fn account(server: Server) -> (World, i64, i64) {
    let world = World::empty(server).await;
    for (symbol, price) in [("IBM", "128.25"), ("AAPL", "235")] {
        let asset = world.asset(symbol).await;
        let prices = format!("date,close\n2010-03-31,{price}\n");
        world.prices(asset, &prices).await;
    }
    let user = world.user("a@b.c").await;
    world.portfolio(user, "Main", false, LEDGER).await;
    let account = world.store.accounts(user).await.unwrap()[0].id;
    world
        .store
        .set_custodian(account, "Bank", "ACC-001")
        .await
        .unwrap();
    (world, user, account)
}

async fn import(store: &Store, name: &str, text: &str) -> portfolio::Result<ImportedStatement> {
    let source = Source {
        name,
        bytes: text.as_bytes(),
        now: now(),
    };
    import_statement(store, source, None).await
}

async fn compare(store: &Store, account: i64) -> ReconcileData {
    let request = ReconcileRequest {
        clock: now,
        ..ReconcileRequest::new(account)
    };
    reconcile_account(store, &request, &mut |_| {})
        .await
        .unwrap()
        .unwrap()
}

fn changes(data: &ReconcileData) -> [usize; 4] {
    [data.opened, data.opened_high, data.closed, data.still_open]
}

on_both_servers!(a_break_is_one_row_for_as_long_as_it_is_seen);

async fn a_break_is_one_row_for_as_long_as_it_is_seen(server: Server) {
    let (world, user, account) = account(server).await;
    let first = import(&world.store, "march.csv", STATEMENT).await.unwrap();
    assert_eq!(
        (first.account_id, first.lines, first.new),
        (account, 7, true)
    );
    let again = import(&world.store, "march.csv", STATEMENT).await.unwrap();
    assert_eq!((again.statement_id, again.new), (first.statement_id, false));

    let missing = compare(&world.store, account).await;
    assert_eq!(
        (missing.status.as_str(), changes(&missing)),
        ("breaks", [2, 1, 0, 0])
    );
    let gravest = &missing.breaks[0];
    assert_eq!(
        (gravest.kind.as_str(), gravest.severity.as_str()),
        ("missing_in_ledger", "high")
    );
    let stored = compare(&world.store, account).await;
    assert_eq!(stored.reconciliation_id, missing.reconciliation_id);
    assert_eq!(changes(&stored), [0, 0, 0, 2]);

    // A person has seen one of them; other prices make the input another, the breaks are the same rows.
    let note = "asked the bank";
    assert!(
        world
            .store
            .judge_break(gravest.id, "acknowledged", note, now())
            .await
            .unwrap()
    );
    let corrected = format!("{STATEMENT}position,2010-03-31,,,NONE,,0,,,USD,,\n");
    import(&world.store, "corrected.csv", &corrected)
        .await
        .unwrap();
    let seen = compare(&world.store, account).await;
    assert_ne!(seen.reconciliation_id, missing.reconciliation_id);
    assert_eq!(changes(&seen), [0, 0, 0, 2]);
    assert_eq!(
        (seen.breaks[0].id, seen.breaks[0].status.as_str()),
        (gravest.id, "acknowledged")
    );
    assert_eq!(seen.breaks[0].note.as_deref(), Some(note));

    world.transactions(user, DIVIDEND).await;
    let matched = compare(&world.store, account).await;
    assert_eq!(
        (matched.status.as_str(), changes(&matched)),
        ("matched", [0, 0, 2, 0])
    );
    assert_eq!(
        (matched.matches["reference"], matched.matches["near_date"]),
        (3, 1)
    );

    // A later statement says nothing of March's rows, so it closes none of their breaks; it does of cash.
    let taxed = STATEMENT
        .replace("46.75,USD,,net", "45.00,USD,,net")
        .replace("56.65", "54.90");
    import(&world.store, "taxed.csv", &taxed).await.unwrap();
    let off = compare(&world.store, account).await;
    assert_eq!(changes(&off), [2, 0, 0, 0], "{:?}", off.breaks);
    import(&world.store, "april.csv", APRIL).await.unwrap();
    let later = compare(&world.store, account).await;
    assert_eq!(changes(&later), [1, 1, 1, 1], "{:?}", later.breaks);
}

const APRIL: &str = "kind,date,type,amount,currency,external_id
header,2010-04-30,,,USD,ACC-001
transaction,2010-04-30,interest,1,USD,
cash,2010-04-30,,56.65,USD,
";

const OFX: &str = "OFXHEADER:100
DATA:OFXSGML
CHARSET:1252

<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS>
<DTASOF>20100331160000.000[-5:EST]<CURDEF>USD
<INVACCTFROM><BROKERID>bank.example<ACCTID>ACC-001</INVACCTFROM>
<INVTRANLIST><DTSTART>20100301<DTEND>20100331
<INVBANKTRAN><STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20100301<TRNAMT>15000.00<FITID>D-1<NAME>wire Z\u{fc}rich</STMTTRN><SUBACCTFUND>CASH</INVBANKTRAN>
<BUYSTOCK><INVBUY><INVTRAN><FITID>B-77<DTTRADE>20100302<DTSETTLE>20100305<MEMO></INVTRAN><SECID><UNIQUEID>459200101<UNIQUEIDTYPE>CUSIP</SECID><UNITS>100<UNITPRICE>127.40<COMMISSION>9.95<TOTAL>-12749.95</INVBUY><BUYTYPE>BUY</BUYSTOCK>
<BUYSTOCK><INVBUY><INVTRAN><FITID>B-78<DTTRADE>20100309</INVTRAN><SECID><UNIQUEID>037833100<UNIQUEIDTYPE>CUSIP</SECID><UNITS>10<UNITPRICE>223.02<TOTAL>-2240,15</INVBUY><BUYTYPE>BUY</BUYSTOCK>
<INCOME><INVTRAN><FITID>V-9<DTTRADE>20100312</INVTRAN><SECID><UNIQUEID>459200101<UNIQUEIDTYPE>CUSIP</SECID><INCOMETYPE>DIV<TOTAL>46.75</INCOME>
</INVTRANLIST>
<INVPOSLIST><POSSTOCK><INVPOS><SECID><UNIQUEID>459200101<UNIQUEIDTYPE>CUSIP</SECID><POSTYPE>LONG<UNITS>100<UNITPRICE>128.25<DTPRICEASOF>20100331</INVPOS></POSSTOCK>
<POSSTOCK><INVPOS><SECID><UNIQUEID>037833100<UNIQUEIDTYPE>CUSIP</SECID><POSTYPE>LONG<UNITS>10<UNITPRICE>235<DTPRICEASOF>20100331</INVPOS></POSSTOCK></INVPOSLIST>
<INVBAL><AVAILCASH>56.65<MARGINBALANCE>0<SHORTBALANCE>0</INVBAL>
</INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1>
<SECLISTMSGSRSV1><SECLIST><STOCKINFO><SECINFO><SECID><UNIQUEID>459200101<UNIQUEIDTYPE>CUSIP</SECID><SECNAME>IBM &amp; Co<TICKER>IBM</SECINFO></STOCKINFO>
<STOCKINFO><SECINFO><SECID><UNIQUEID>037833100<UNIQUEIDTYPE>CUSIP</SECID><SECNAME>Apple<TICKER>AAPL</SECINFO></STOCKINFO></SECLIST></SECLISTMSGSRSV1></OFX>
";

#[tokio::test]
async fn every_format_says_the_same() {
    let (world, user, account) = account(Server::Sqlite).await;
    world.transactions(user, DIVIDEND).await;
    // Code page 1252, as the header says.
    let latin: Vec<u8> = OFX
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let source = Source {
        name: "march.QFX",
        bytes: &latin,
        now: now(),
    };
    let imported = import_statement(&world.store, source, None).await.unwrap();
    assert_eq!(imported.lines, 7);
    let data = compare(&world.store, account).await;
    assert_eq!(
        (data.status.as_str(), data.matches["reference"]),
        ("matched", 3)
    );
    let read = read_statement(source).unwrap();
    assert_eq!(read.lines[0].description.as_deref(), Some("wire Zürich"));
    assert_eq!(
        (read.custodian.as_str(), read.period_start),
        ("bank.example", "2010-03-01".parse().ok())
    );

    let json = r#"{"account": "ACC-001", "as_of": "2010-03-31", "lines": [
        {"kind": "position", "isin": "US4592001014", "symbol": "IBM", "quantity": "100"},
        {"kind": "position", "symbol": "AAPL", "quantity": "20"}]}"#;
    import(&world.store, "march.json", json).await.unwrap();
    let data = compare(&world.store, account).await;
    assert_eq!(data.breaks.len(), 1);
    assert_eq!(data.breaks[0].kind, "split_suspected");
}

#[tokio::test]
async fn a_statement_is_taken_whole_or_not_at_all() {
    let (world, _, account) = account(Server::Sqlite).await;
    let cut = &OFX[..OFX.len() / 2];
    let utf16: String = STATEMENT.chars().flat_map(|c| [c, '\0']).collect();
    let bad_number = STATEMENT.replace("46.75", "NaN");
    let no_header = STATEMENT.replace("header,", "cash,");
    let foreign = STATEMENT.replace("ACC-001", "ACC-002");
    let refused = [
        ("cut.ofx", cut, "cut off"),
        ("utf16.csv", utf16.as_str(), "UTF-8"),
        ("nan.csv", bad_number.as_str(), "line 6: amount = \"NaN\""),
        ("none.csv", no_header.as_str(), "cannot be read"),
        (
            "other.csv",
            foreign.as_str(),
            "no account has the custodian's number",
        ),
        ("empty.csv", "", "column kind is missing"),
        ("cut.json", "{\"account\": \"ACC-001\", ", "EOF"),
        ("unknown.xls", "", "must end with .csv"),
    ];
    for (name, text, rule) in refused {
        let error = import(&world.store, name, text).await.unwrap_err();
        assert!(matches!(error, Error::Import { .. }), "{name}: {error}");
        assert!(error.to_string().contains(rule), "{name}: {error}");
    }
    let request = ReconcileRequest {
        clock: now,
        ..ReconcileRequest::new(account)
    };
    let nothing = reconcile_account(&world.store, &request, &mut |_| {})
        .await
        .unwrap();
    assert_eq!(nothing, None);
}

#[tokio::test]
async fn accounts_and_statements_of_others_are_refused() {
    let (world, user, account) = account(Server::Sqlite).await;
    let imported = import(&world.store, "march.csv", STATEMENT).await.unwrap();
    let other = world.user("x@y.z").await;
    world
        .portfolio(
            other,
            "Other",
            false,
            "account,date,type,amount,currency\nOther,2010-03-01,deposit,1,USD\n",
        )
        .await;
    let others = world.store.accounts(other).await.unwrap()[0].id;
    let ask = |account_id, user_id, statement_id| ReconcileRequest {
        user_id,
        statement_id,
        clock: now,
        ..ReconcileRequest::new(account_id)
    };
    let requests = [
        (
            ask(account, Some(other), None),
            "account 1 belongs to another user",
        ),
        (ask(99, Some(user), None), "account 99 does not exist"),
        (
            ask(account, Some(user), Some(99)),
            "statement 99 does not exist",
        ),
        (
            ask(others, Some(other), Some(imported.statement_id)),
            "must be a statement of this account",
        ),
    ];
    for (request, text) in requests {
        let error = reconcile_account(&world.store, &request, &mut |_| {})
            .await
            .unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    }
}

on_both_servers!(a_task_that_is_run_again_tells_what_it_had_opened);

async fn a_task_that_is_run_again_tells_what_it_had_opened(server: Server) {
    let (world, _, account) = account(server).await;
    import(&world.store, "march.csv", STATEMENT).await.unwrap();
    let ask = async |task: &str| {
        let request = ReconcileRequest {
            task_id: task.to_owned(),
            clock: now,
            ..ReconcileRequest::new(account)
        };
        let data = reconcile_account(&world.store, &request, &mut |_| {}).await;
        changes(&data.unwrap().unwrap())
    };
    assert_eq!(ask("first").await, [2, 1, 0, 0]);
    assert_eq!(ask("first").await, [2, 1, 0, 0], "it may have been killed");
    assert_eq!(ask("second").await, [0, 0, 0, 2]);
}

on_both_servers!(runs_of_one_account_at_the_same_time_are_one_comparison);

async fn runs_of_one_account_at_the_same_time_are_one_comparison(server: Server) {
    let (world, _, account) = account(server).await;
    import(&world.store, "march.csv", STATEMENT).await.unwrap();
    let runs = (0..8).map(|_| {
        let store = world.store.clone();
        tokio::spawn(async move { compare(&store, account).await })
    });
    let done = futures_util::future::join_all(runs).await;
    let done: Vec<ReconcileData> = done.into_iter().map(Result::unwrap).collect();
    assert!(
        done.iter()
            .all(|run| run.reconciliation_id == done[0].reconciliation_id),
        "{done:?}"
    );
    let opened: Vec<usize> = done.iter().map(|run| run.opened).collect();
    assert_eq!(opened.iter().sum::<usize>(), 2, "{opened:?}");
}

on_both_servers!(an_account_that_cannot_be_compared_has_a_row_that_says_so);

async fn an_account_that_cannot_be_compared_has_a_row_that_says_so(server: Server) {
    const OVERSELL: &str = "account,date,type,symbol,quantity,price,currency
Main,2010-03-15,sell,IBM,500,128,USD
";
    let (world, user, account) = account(server).await;
    import(&world.store, "march.csv", STATEMENT).await.unwrap();
    let compared = async || {
        let period = (date(2010, 1, 1), date(2010, 12, 31));
        world.store.compared(None, None, period).await.unwrap()
    };
    world.transactions(user, OVERSELL).await;
    for _ in 0..2 {
        let request = ReconcileRequest {
            clock: now,
            ..ReconcileRequest::new(account)
        };
        let failed = reconcile_account(&world.store, &request, &mut |_| {}).await;
        let error = failed.unwrap_err();
        assert!(matches!(error, Error::Ledger { .. }), "{error}");
        let rows = compared().await;
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].status.as_str(), rows[0].breaks.len()),
            ("error", 0)
        );
    }
}
