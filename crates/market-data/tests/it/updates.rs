//! What providers have, brought into a real store: bars, rates.

use std::time::Duration;

use market_data::SyncRequest;
use testkit::wait_until;

use crate::place::{NOW, Place, request};
use crate::server::{Server, Step};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tiingo's days with these closes, and a split where one is given.
fn days(closes: &[(&str, &str)], split: Option<&str>) -> String {
    let day = |(date, close): &(&str, &str)| {
        let factor = if split == Some(*date) { "2.0" } else { "1.0" };
        format!(
            r#"{{"date": "{date}T00:00:00.000Z", "close": {close}, "divCash": 0.0, "splitFactor": {factor}}}"#
        )
    };
    format!("[{}]", closes.iter().map(day).collect::<Vec<_>>().join(","))
}

fn with_etag(body: String) -> Step {
    Step::Answer {
        status: 200,
        headers: vec![("ETag".to_owned(), "\"e1\"".to_owned())],
        body: body.into(),
    }
}

async fn corrections_are_written_and_what_is_known_is_not(place: Place) {
    let asset = place.asset("AAPL").await;
    let (first, corrected) = (
        [("2005-02-23", "88.23"), ("2005-02-24", "88.93")],
        [("2005-02-23", "88.24"), ("2005-02-24", "88.93")],
    );
    let steps = vec![
        with_etag(days(&first, None)),
        Step::status(304),
        Step::ok(days(&corrected, None)),
    ];
    let server = Server::play(steps).await;
    let providers = place.providers(&["test"], Some(&server));
    let report = place.fetch(&providers, &["AAPL"]).await;
    assert_eq!(report.symbols["AAPL"].rows_inserted, 2);
    let report = place.fetch(&providers, &["AAPL"]).await;
    assert!(
        report.symbols["AAPL"].not_modified
            && server.requests()[1].contains("if-none-match: \"e1\"")
    );
    let report = place.fetch(&providers, &["AAPL"]).await;
    let done = &report.symbols["AAPL"];
    assert_eq!(
        (done.rows_inserted, done.rows_updated, done.rows_unchanged),
        (0, 1, 1)
    );
    let close = place
        .store
        .close_before(asset, "2005-02-24".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(close.unwrap().to_string(), "88.24");
}

#[tokio::test]
async fn corrections_are_written_on_sqlite() {
    corrections_are_written_and_what_is_known_is_not(Place::new().await).await;
}

#[tokio::test]
async fn corrections_are_written_on_postgres() {
    corrections_are_written_and_what_is_known_is_not(Place::on_postgres().await).await;
}

#[tokio::test]
async fn one_failing_asset_stops_no_other_and_the_next_provider_is_asked() {
    let place = Place::new().await;
    place.asset("AAPL").await;
    place.asset("IBM").await;
    place.file("AAPL.csv", "date,close\n2005-02-23,88.23\n");
    let server = Server::play(vec![Step::status(500)]).await;
    let providers = place.providers(&["test", "folder"], Some(&server));
    let report = place.fetch(&providers, &["AAPL", "IBM", "NONE"]).await;
    assert_eq!(report.symbols["AAPL"].provider, "folder");
    let mut failed: Vec<_> = report
        .errors
        .iter()
        .map(|issue| (issue.symbol.as_str(), issue.code.as_str()))
        .collect();
    failed.sort_unstable();
    assert_eq!(failed, [("IBM", "unavailable"), ("NONE", "unavailable")]);
}

#[tokio::test]
async fn a_provider_that_wants_to_be_left_alone_is() {
    let place = Place::new().await;
    place.asset("AAPL").await;
    let limited = Step::Answer {
        status: 429,
        headers: vec![("Retry-After".to_owned(), "600".to_owned())],
        body: Vec::new(),
    };
    let server = Server::play(vec![limited]).await;
    for _ in 0..2 {
        // Each time with new providers, as another process has them.
        let providers = place.providers(&["test"], Some(&server));
        let report = place.fetch(&providers, &["AAPL"]).await;
        assert_eq!(report.errors[0].code, "rate_limited");
        let wait = report.errors[0]
            .cause
            .as_ref()
            .unwrap()
            .retry_after()
            .unwrap();
        assert!((500..=600).contains(&wait.as_secs()), "{wait:?}");
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_session_that_is_under_way_is_no_price_yet() {
    let place = Place::new().await;
    place.asset("AAPL").await;
    place.file(
        "AAPL.csv",
        "date,close\n2005-02-28,44.86\n2005-03-01,44.5\n",
    );
    let providers = place.providers(&["folder"], None);
    // New York closes at 21:00 UTC.
    for (now, inserted) in [("2005-03-01T20:59:00Z", 1), ("2005-03-01T21:01:00Z", 1)] {
        let updater = place.updater(&providers, now);
        let report = updater
            .fetch(&request(&["AAPL"]), &mut |_| {}, &|| false)
            .await
            .unwrap();
        assert_eq!(report.symbols["AAPL"].rows_inserted, inserted, "{now}");
    }
}

/// A place that knows of some days of a share before a split, and what the server then says: of the split, and of the days before.
async fn before_a_split() -> (Place, Step, Step) {
    let place = Place::new().await;
    place.asset("AAPL").await;
    place.file(
        "AAPL.csv",
        "date,close\n2005-01-03,63.29\n2005-02-22,85.29\n",
    );
    let providers = place.providers(&["folder"], None);
    let mut history = request(&["AAPL"]);
    history.window.from = "2005-01-01".parse().unwrap();
    let updater = place.updater(&providers, NOW);
    updater
        .fetch(&history, &mut |_| {}, &|| false)
        .await
        .unwrap();

    let split = days(
        &[("2005-02-25", "88.99"), ("2005-02-28", "44.86")],
        Some("2005-02-28"),
    );
    let before = days(&[("2005-01-03", "63.3"), ("2005-02-22", "85.29")], None);
    (place, with_etag(split), Step::ok(before))
}

#[tokio::test]
async fn a_new_split_has_the_history_fetched_again() {
    let (place, split, before) = before_a_split().await;
    let server = Server::play(vec![split, before]).await;
    let providers = place.providers(&["test"], Some(&server));
    let report = place.fetch(&providers, &["AAPL"]).await;
    let done = &report.symbols["AAPL"];
    assert_eq!(
        (done.actions, done.rows_inserted, done.rows_updated),
        (1, 2, 1)
    );
    assert!(server.requests()[1].contains("startDate=2005-01-03"));
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[tokio::test]
async fn a_run_that_is_cut_off_before_the_history_leaves_it_to_the_next() {
    let (place, split, before) = before_a_split().await;
    let server = Server::play(vec![split.clone(), Step::Hang, split, before]).await;
    let providers = place.providers(&["test"], Some(&server));
    let asked = async || wait_until(PATIENCE, async || server.requests().len() == 2).await;
    tokio::select! {
        report = place.fetch(&providers, &["AAPL"]) => panic!("it ended: {report:?}"),
        () = asked() => {}
    }
    let report = place.fetch(&providers, &["AAPL"]).await;
    let done = &report.symbols["AAPL"];
    assert_eq!(
        (done.actions, done.rows_inserted, done.rows_updated),
        (1, 2, 1)
    );
}

#[tokio::test]
async fn a_move_without_an_action_is_stored_and_told() {
    let place = Place::new().await;
    place.asset("AAPL").await;
    place.file(
        "AAPL.csv",
        "date,close\n2005-02-25,88.99\n2005-02-28,44.86\n",
    );
    let report = place
        .fetch(&place.providers(&["folder"], None), &["AAPL"])
        .await;
    assert_eq!(report.symbols["AAPL"].rows_inserted, 2);
    assert_eq!(report.warnings[0].code, "suspicious_move");
}

#[tokio::test]
async fn everything_active_is_brought_up_to_date_with_its_rates() {
    let place = Place::new().await;
    for symbol in ["AAPL", "IBM", "GONE"] {
        place.asset(symbol).await;
    }
    place.file(
        "AAPL.csv",
        "date,close\n2005-03-03,41.79\n2005-03-04,42.81\n",
    );
    place.file("IBM.csv", "date,close\n2005-03-03,92.41\n");
    place.file(
        "fx/ecb.csv",
        "date,USD,GBP\n2005-03-03,1.3110,0.6863\n2005-03-04,1.3120,N/A\n",
    );
    let providers = place.providers(&["folder"], None);
    let updater = place.updater(&providers, NOW);
    let request = SyncRequest {
        symbols: None,
        full: false,
        include_fx: true,
    };
    let report = updater
        .sync(&request, &mut |_| {}, &|| false)
        .await
        .unwrap();
    assert_eq!(
        (
            report.assets,
            report.fetched.symbols.len(),
            report.up_to_date,
            report.fx_rows
        ),
        (3, 2, 0, 2)
    );
    assert_eq!(report.fetched.errors[0].symbol, "GONE");
    let report = updater
        .sync(&request, &mut |_| {}, &|| false)
        .await
        .unwrap();
    assert_eq!((report.up_to_date, report.fx_rows), (1, 0));
    assert!(report.fetched.symbols.contains_key("IBM"));

    let stopped = updater.sync(&request, &mut |_| {}, &|| true).await.unwrap();
    assert!(
        stopped
            .fetched
            .errors
            .iter()
            .all(|issue| issue.code == "SoftTimeLimitExceeded")
    );
}
