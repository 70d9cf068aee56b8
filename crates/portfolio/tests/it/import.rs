//! Imports: good rows in, bad rows listed, the same again changes nothing.

use portfolio::Error;
use portfolio::analytics::view;
use portfolio::import::{
    ImportReport, Input, PriceImport, Source, import_actions, import_prices, import_rates,
};
use portfolio::store::NewPortfolio;

use crate::world::{Server, World, now, on_both_servers};

async fn prices(world: &World, bytes: &[u8]) -> portfolio::Result<ImportReport> {
    let asset_id = world.asset("IBM").await;
    let source = Source {
        name: "IBM.csv",
        bytes,
        now: now(),
    };
    import_prices(
        &world.store,
        source,
        PriceImport {
            asset_id,
            source: "csv",
        },
        &mut |_| {},
    )
    .await
}

fn rules(report: &ImportReport) -> Vec<String> {
    report.bad_rows.iter().map(ToString::to_string).collect()
}

on_both_servers!(bad_prices_are_listed_and_good_ones_kept);

async fn bad_prices_are_listed_and_good_ones_kept(server: Server) {
    let world = World::empty(server).await;
    let text = "date,open,high,low,close,volume\n\
        2010-03-01,1,2,1,127.57,100\n\
        2010-03-02,,,,NaN,\n\
        2010-03-03,,,,0,\n\
        2010-03-04,,,,-5,\n\
        2010-13-01,,,,5,\n\
        2010-03-05,,,,1e3,\n\
        2010-03-06,,,,,\n\
        2010-03-08,,,,6,-1\n\
        2010-03-09,5,1,2,6.5,1\n\
        2010-03-10,1,1,1,1,1,1\n";
    let report = prices(&world, text.as_bytes()).await.unwrap();
    assert_eq!((report.rows, report.written, report.bad), (10, 2, 8));
    assert_eq!(
        rules(&report),
        [
            "line 3: close = \"NaN\" must be a plain decimal number such as -12.50",
            "line 4: close = \"0\" must be above zero",
            "line 5: close = \"-5\" must be above zero",
            "line 6: date = \"2010-13-01\" must be a date such as 2010-03-01",
            "line 7: close = \"1e3\" must be a plain decimal number such as -12.50",
            "line 8: close = \"\" must not be empty",
            "line 9: volume = \"-1\" must not be negative",
            "line 11: row = \"\" the row has 7 cells, the header 6",
        ]
    );
    let again = prices(&world, text.as_bytes()).await.unwrap();
    assert_eq!((again.written, again.unchanged, again.bad), (0, 2, 8));
}

on_both_servers!(the_last_row_of_a_day_counts_and_a_correction_replaces);

async fn the_last_row_of_a_day_counts_and_a_correction_replaces(server: Server) {
    let world = World::empty(server).await;
    let report = prices(&world, b"date,close\n2010-03-01,1\n2010-03-01,2\n")
        .await
        .unwrap();
    assert_eq!((report.rows, report.written, report.unchanged), (2, 1, 1));
    let id = world.asset("IBM").await;
    let close = |market: portfolio::market::Market| {
        market.assets()[0]
            .price("2010-03-05".parse().unwrap())
            .unwrap()
            .text()
    };
    assert_eq!(close(world.store.market(&[id]).await.unwrap()), "2");
    assert_eq!(
        prices(&world, b"date,close\n2010-03-01,3.5\n")
            .await
            .unwrap()
            .written,
        1
    );
    assert_eq!(close(world.store.market(&[id]).await.unwrap()), "3.5");
}

on_both_servers!(files_that_are_no_table_are_refused_whole);

async fn files_that_are_no_table_are_refused_whole(server: Server) {
    let world = World::empty(server).await;
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend("date,close\n".encode_utf16().flat_map(u16::to_le_bytes));
    let endless = format!("date,close\n2010-03-01,{}\n", "9".repeat(200_000));
    let cases: [(&[u8], &str); 6] = [
        (&utf16, "not UTF-8"),
        (b"day,close\n2010-03-01,1\n", "column date is missing"),
        (
            b"date,close,color\n2010-03-01,1,red\n",
            "column \"color\" is unknown",
        ),
        (b"date,close,close\n2010-03-01,1,2\n", "named twice"),
        (endless.as_bytes(), "longer than 65536 bytes"),
        (b"", "column date is missing"),
    ];
    for (bytes, expected) in cases {
        let error = prices(&world, bytes).await.unwrap_err();
        assert!(
            matches!(error, Error::Import { .. }) && error.to_string().contains(expected),
            "{error}"
        );
    }
}

on_both_servers!(a_byte_order_mark_and_latin_1_are_told_apart);

async fn a_byte_order_mark_and_latin_1_are_told_apart(server: Server) {
    let world = World::empty(server).await;
    assert_eq!(
        prices(&world, b"\xef\xbb\xbfdate,close\n2010-03-01,1\n")
            .await
            .unwrap()
            .written,
        1
    );
    let report = prices(&world, b"date,close\n2010-03-02,1\xa4\n2010-03-03,2\n")
        .await
        .unwrap();
    assert_eq!((report.written, report.bad), (1, 1));
    assert!(
        rules(&report)[0].contains("must be UTF-8"),
        "{:?}",
        report.bad_rows
    );
}

on_both_servers!(transactions_are_checked_row_by_row);

async fn transactions_are_checked_row_by_row(server: Server) {
    let world = World::empty(server).await;
    world.asset("IBM").await;
    let user = world.user("ada@example.org").await;
    world
        .portfolio(user, "Main", false, "account,date,type,currency\n")
        .await;
    let text = "account,date,type,symbol,quantity,price,amount,fee,tax,currency,external_id\n\
        Main,2010-03-01,deposit,,,,15000,,,USD,D-1\n\
        Other,2010-03-01,deposit,,,,1,,,USD,\n\
        Main,2010-03-01,gift,,,,1,,,USD,\n\
        Main,2010-03-02,buy,XYZ,1,1,,,,USD,\n\
        Main,2010-03-02,buy,IBM,-1,1,,,,USD,\n\
        Main,2010-03-02,buy,IBM,1,,,,,USD,\n\
        Main,2010-03-02,buy,IBM,1,1,,-2,,USD,\n\
        Main,2010-03-02,deposit,,,,1.123456789,,,USD,\n\
        Main,2010-03-02,deposit,,,,1,,,DOLLAR,\n\
        Main,2010-03-02,fee,,,,,,,USD,\n\
        Main,2010-03-02,buy,ibm,1,127.4,,,,USD,\n\
        Main,2010-03-02,buy,IBM,1,127.4,,,,USD,\n\
        Main,2010-03-02,buy,IBM,1,127.4,,,,USD,\n";
    let report = world.transactions(user, text).await;
    let fields: Vec<(u64, &str)> = report
        .bad_rows
        .iter()
        .map(|row| (row.line, row.field.as_str()))
        .collect();
    assert_eq!(
        fields,
        [
            (3, "account"),
            (4, "type"),
            (5, "symbol"),
            (6, "quantity"),
            (7, "price"),
            (8, "fee"),
            (9, "amount"),
            (10, "currency"),
            (11, "amount")
        ]
    );
    assert_eq!(
        (report.written, report.unchanged),
        (4, 0),
        "look-alikes without id are kept"
    );
    let again = world.transactions(user, text).await;
    assert_eq!((again.written, again.unchanged, again.bad), (0, 4, 9));
}

on_both_servers!(rates_and_actions_import_once);

async fn rates_and_actions_import_once(server: Server) {
    let world = World::empty(server).await;
    world.asset("IBM").await;
    let rates = Source {
        name: "ecb.csv",
        bytes: b"date,USD,GBP\n2010-03-01,1.35,\n2010-03-02,0,0.9\n2010-03-03,1.36,N/A\n",
        now: now(),
    };
    let report = import_rates(&world.store, rates, "ecb", &mut |_| {})
        .await
        .unwrap();
    assert_eq!((report.written, report.bad), (2, 1));
    assert_eq!(
        import_rates(&world.store, rates, "ecb", &mut |_| {})
            .await
            .unwrap()
            .written,
        0
    );
    let rate = world.store.rates().await.unwrap().rate(
        "USD".parse().unwrap(),
        "EUR".parse().unwrap(),
        "2010-03-09".parse().unwrap(),
    );
    assert_eq!(rate.unwrap().to_string(), "0.735294117647");

    let bytes = b"symbol,ex_date,type,value,currency\nIBM,2010-02-08,dividend,0.55,USD\nIBM,2010-02-08,merger,1,\nXYZ,2010-02-08,split,2,\nIBM,2010-02-09,split,-2,\n";
    let actions = Source {
        name: "actions.csv",
        bytes,
        now: now(),
    };
    let report = import_actions(&world.store, actions, "csv", &mut |_| {})
        .await
        .unwrap();
    assert_eq!((report.written, report.bad), (1, 3));
    assert_eq!(
        import_actions(&world.store, actions, "csv", &mut |_| {})
            .await
            .unwrap()
            .unchanged,
        1
    );
}

on_both_servers!(chosen_lots_are_named_by_the_rows_that_opened_them);

async fn chosen_lots_are_named_by_the_rows_that_opened_them(server: Server) {
    let world = World::empty(server).await;
    let ibm = world.asset("IBM").await;
    world.prices(ibm, "date,close\n2010-03-05,130\n").await;
    let user = world.user("ada@example.org").await;
    let head = "account,date,type,symbol,quantity,price,currency,external_id,lot_picks\n";
    let id = world.portfolio(user, "Main", false, head).await;
    let portfolio = NewPortfolio {
        user_id: user,
        name: "Main",
        base_currency: "USD".parse().unwrap(),
        calendar: "XNYS",
        lot_method: "specific",
        automatic_income: false,
        risk_free_rate: Default::default(),
        benchmark_asset_id: None,
    };
    let same = world.store.put_portfolio(&portfolio, now()).await.unwrap();
    assert_eq!(same, id);
    let rows = "Main,2010-03-01,buy,IBM,10,100,USD,B-1,\n\
        Main,2010-03-02,buy,IBM,10,110,USD,B-2,\n\
        Main,2010-03-03,buy,IBM,10,120,USD,B-3,\n\
        Main,2010-03-04,sell,IBM,12,125,USD,S-1,B-3:10; B-1:2\n\
        Main,2010-03-04,sell,IBM,1,125,USD,S-2,B-9:1\n\
        Main,2010-03-04,sell,IBM,1,125,USD,S-3,B-1\n";
    let report = world.transactions(user, &format!("{head}{rows}")).await;
    assert_eq!((report.written, report.bad), (4, 2));
    assert_eq!(
        rules(&report),
        [
            "line 6: lot_picks = \"B-9\" is not the external_id of an earlier row of this account",
            "line 7: lot_picks = \"B-1\" must be such as B-1:10; B-7:2.5 (external id and quantity)",
        ]
    );
    let day = Some("2010-03-05".parse().unwrap());
    let found = view(&world.store, user, Some(id), day).await.unwrap();
    let walk = found.portfolios[0].walk(&found.market, Vec::new()).unwrap();
    let walk = walk.unwrap();
    let sold = walk.ledger.realised().iter();
    let sold: Vec<String> = sold
        .map(|gain| format!("{} {}", gain.quantity, gain.cost))
        .collect();
    assert_eq!(sold, ["10 1200", "2 200"]);
}

on_both_servers!(rows_are_stored_many_at_once_and_each_name_once);

async fn rows_are_stored_many_at_once_and_each_name_once(server: Server) {
    let world = World::empty(server).await;
    let user = world.user("a@b.c").await;
    let empty = "account,date,type,currency\n";
    world.portfolio(user, "Main", false, empty).await;
    let row = |id: u32| format!("Main,2010-03-01,deposit,{}.25,USD,D-{id}\n", 1 + id);
    let rows = |ids: &mut dyn Iterator<Item = u32>| -> String { ids.map(row).collect() };
    let head = "account,date,type,amount,currency,external_id\n";
    // Every seventh name comes again, at once and much later.
    let (first, second) = (rows(&mut (0..2_600)), rows(&mut (0..2_600).step_by(7)));
    let file = format!("{head}{}{first}{second}", rows(&mut (0..7)));
    let report = world.transactions(user, &file).await;
    let counted = (report.rows, report.written, report.unchanged, report.bad);
    assert_eq!(counted, (2_979, 2_600, 379, 0));
    let again = world.transactions(user, &format!("{head}{first}")).await;
    assert_eq!((again.written, again.unchanged), (0, 2_600));
}

#[tokio::test]
async fn files_that_are_no_table_are_refused_before_they_are_read() {
    let world = World::empty(Server::Sqlite).await;
    let asset_id = world.asset("IBM").await;
    let folder = tempfile::tempdir().unwrap();
    let sparse = |name: &str, head: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, head).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(&path);
        // Ten gigabytes on paper, a few bytes on the disk.
        file.unwrap().set_len(10 << 30).unwrap();
        path
    };
    let import = PriceImport {
        asset_id,
        source: "csv",
    };
    let cases = [
        ("zeros.csv", "", "not UTF-8"),
        (
            "hole.csv",
            "date,close\n2010-03-01,1\n2010-03-02,",
            "longer than 65536 bytes",
        ),
        (
            "quote.csv",
            "date,close\n2010-03-01,\"",
            "longer than 65536 bytes",
        ),
    ];
    for (name, head, expected) in cases {
        // A header that is long enough to look like text.
        let head = if head.is_empty() {
            String::new()
        } else {
            format!("{head}{}", "1".repeat(64))
        };
        let input = Input::open(&sparse(name, &head), now()).unwrap();
        let error = import_prices(&world.store, input, import, &mut |_| {}).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let nothing = world.store.newest_price().await.unwrap();
    assert_eq!(nothing, None, "nothing of a refused file is stored");
    let missing = Input::open(&folder.path().join("missing.csv"), now()).unwrap_err();
    assert!(missing.to_string().contains("missing.csv"), "{missing}");
    let directory = Input::open(folder.path(), now()).unwrap_err();
    assert!(
        directory.to_string().contains("is a directory"),
        "{directory}"
    );
}

on_both_servers!(progress_runs_to_the_end);

async fn progress_runs_to_the_end(server: Server) {
    let world = World::empty(server).await;
    let asset_id = world.asset("IBM").await;
    let text = crate::fixtures::data("prices/IBM.csv");
    let mut seen = Vec::new();
    let source = Source {
        name: "IBM.csv",
        bytes: text.as_bytes(),
        now: now(),
    };
    let mut note =
        |progress: portfolio::progress::Progress| seen.push((progress.phase, progress.percent()));
    import_prices(
        &world.store,
        source,
        PriceImport {
            asset_id,
            source: "csv",
        },
        &mut note,
    )
    .await
    .unwrap();
    assert!(seen.is_sorted_by_key(|(_, percent)| *percent), "{seen:?}");
    assert_eq!(seen.last(), Some(&("import", 100)));
    assert!(seen.len() > 2);
}
