//! Quotes and facts brought into a real store; settings that make providers.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use market_data::{Hours, Providers, QuoteRequest, Quotes, SyncRequest, Updater};
use serde_json::{Value, json};

use crate::place::{NOW, Place};

#[tokio::test]
async fn fresh_quotes_are_left_alone_and_closed_markets_wait() {
    let place = Place::new().await;
    place.asset("AAPL").await;
    place.file(
        "AAPL.csv",
        "date,close\n2005-03-03,41.79\n2005-03-04,42.81\n",
    );
    let providers = place.providers(&["folder"], None);
    let request = QuoteRequest {
        symbols: Some(vec!["AAPL".to_owned(), "NONE".to_owned()]),
        ..QuoteRequest::default()
    };
    let quotes = async |now: &str, request: &QuoteRequest| {
        place
            .updater(&providers, now)
            .quotes(request, &mut |_| {}, &|| false)
            .await
            .unwrap()
    };
    for (now, counts) in [
        (NOW, (1, 0)),
        ("2005-03-05T12:00:59Z", (0, 1)),
        ("2005-03-05T12:02:00Z", (0, 1)),
    ] {
        let Quotes::Done(report) = quotes(now, &request).await else {
            panic!("any hours")
        };
        assert_eq!((report.updated, report.unchanged), counts, "{now}");
        assert_eq!(
            (report.assets, report.errors[0].symbol.as_str()),
            (2, "NONE")
        );
    }
    let held = QuoteRequest {
        hours: Some(Hours::Market),
        ..QuoteRequest::default()
    };
    let Quotes::Closed { next_open } = quotes(NOW, &held).await else {
        panic!("a Saturday")
    };
    assert_eq!(next_open, Some("2005-03-07T14:30:00Z".parse().unwrap()));
    let foreign = QuoteRequest {
        portfolio_ids: Some(vec![9]),
        ..QuoteRequest::default()
    };
    let missing = place
        .updater(&providers, NOW)
        .quotes(&foreign, &mut |_| {}, &|| false)
        .await;
    assert!(matches!(missing, Err(portfolio::Error::NotFound { .. })));
}

#[tokio::test]
async fn facts_make_an_asset_and_are_kept() {
    let place = Place::new().await;
    place.file(
        "assets.csv",
        "symbol,currency,name,sector\nAAPL,USD,Apple Inc.,Technology\n",
    );
    let providers = place.providers(&["folder"], None);
    let updater = place.updater(&providers, NOW);
    let day = SignedDuration::from_hours(24);
    let facts = updater.facts("AAPL", day).await.unwrap().unwrap();
    assert_eq!(
        (facts.cached, facts.info["name"].as_str()),
        (false, Some("Apple Inc."))
    );
    fs::remove_file(place.folder.path().join("market/assets.csv")).unwrap();
    let facts = updater.facts("AAPL", day).await.unwrap().unwrap();
    assert_eq!((facts.cached, facts.source.as_str()), (true, "folder"));
    let old = updater.facts("AAPL", SignedDuration::ZERO).await.unwrap();
    assert_eq!(old.unwrap_err().code(), "not_found");
    assert_eq!(place.store.asset_ids().await.unwrap().len(), 1);
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_said() {
    for (settings, word) in [
        (
            json!({"providers": ["nobody"]}),
            "shape \"nobody\" is unknown",
        ),
        (json!({"http": {"x": {"shape": "json"}}}), "base_url"),
        (json!({"http": {"tiingo": {"timeout": 0}}}), "timeout"),
        (json!({"http": {"tiingo": {"colour": "red"}}}), "colour"),
        (
            json!({"http": {"tiingo": {"api_key_env": "CELERIAC_NO_SUCH_KEY"}}}),
            "CELERIAC_NO_SUCH_KEY",
        ),
        (json!({"simulator": {"gaps": 2}}), "between 0 and 1"),
    ] {
        let told = Providers::from_settings(settings, Path::new("/nowhere"))
            .unwrap_err()
            .to_string();
        assert!(
            told.contains(word) && told.contains("celeriac_market_data_"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn made_up_markets_can_be_synchronised() {
    let place = Place::new().await;
    place.asset("ACME").await;
    let providers = place.providers(&["simulator"], None);
    let updater = Updater::new(&place.store, &providers, Timestamp::now());
    let request = SyncRequest {
        symbols: None,
        full: false,
        include_fx: true,
    };
    let report = updater
        .sync(&request, &mut |_| {}, &|| false)
        .await
        .unwrap();
    assert!(
        report.fetched.errors.is_empty(),
        "{:?}",
        report.fetched.errors
    );
    assert!(report.fetched.symbols["ACME"].rows_inserted > 6000);
    assert!(report.fx_rows > 6000);
    let info: Value = updater
        .facts("ACME", SignedDuration::ZERO)
        .await
        .unwrap()
        .unwrap()
        .info;
    assert_eq!(info["source"], "simulator");
}
