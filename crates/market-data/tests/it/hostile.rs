//! Providers that refuse, drip, cut, lie and flood; and what the client keeps from them.

use std::time::{Duration, Instant};

use market_data::{Error, Fetched, Validators, Window};
use serde_json::json;

use crate::server::{Server, Step};

fn window() -> Window {
    Window {
        from: "2005-02-23".parse().unwrap(),
        to: "2005-03-02".parse().unwrap(),
    }
}

/// What one try of a Tiingo-shaped provider with these steps gives.
async fn fetch(steps: Vec<Step>, settings: serde_json::Value) -> Result<usize, Error> {
    let server = Server::play(steps).await;
    let mut all = json!({"tries": 1, "timeout": 1.0});
    all.as_object_mut()
        .unwrap()
        .extend(settings.as_object().unwrap().clone());
    let provider = server.provider("tiingo", all);
    match provider
        .daily("AAPL", window(), &Validators::default())
        .await?
    {
        Fetched::New(daily, _) => Ok(daily.bars.len()),
        Fetched::NotModified => panic!("nothing was known"),
    }
}

#[tokio::test]
async fn what_is_no_answer_has_a_code() {
    for (step, code, word) in [
        (Step::Hang, "unavailable", "time"),
        (Step::Drip, "unavailable", "time"),
        (Step::Cut, "unavailable", ""),
        (Step::Reset, "unavailable", ""),
        (Step::ok("<html>please agree</html>"), "bad_payload", "HTML"),
        (
            Step::ok(vec![0xff, 0xfe, 0x00, 0x80]),
            "bad_payload",
            "UTF-8",
        ),
        (
            Step::ok("[{\"date\": \"2005-02-23\", \"close\": \"cheap\"}]"),
            "bad_payload",
            "cheap",
        ),
        (
            Step::ok("[{\"date\": \"someday\", \"close\": 1}]"),
            "bad_payload",
            "someday",
        ),
        (Step::ok("[1, 2, 3]"), "bad_payload", "not a day"),
        (Step::ok("{\"rows\": []}"), "bad_payload", "list"),
        (Step::ok("[".repeat(200_000)), "bad_payload", "JSON"),
        (Step::status(204), "bad_payload", "JSON"),
        (Step::status(302), "bad_payload", "302"),
        (Step::status(400), "bad_payload", "400"),
    ] {
        let told = format!("{step:?}").chars().take(60).collect::<String>();
        let error = fetch(vec![step], json!({})).await.unwrap_err();
        assert_eq!(error.code(), code, "{told}: {error}");
        assert!(error.to_string().contains(word), "{told}: {error}");
    }
}

#[tokio::test]
async fn a_flood_is_cut_off() {
    let flood = format!("[{}]", " ".repeat(100_000));
    let error = fetch(vec![Step::ok(flood)], json!({"max_bytes": 10_000}))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("more than 10000 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_refuses_connections_is_unavailable() {
    let port = testkit::free_port();
    let settings = json!({"base_url": format!("http://127.0.0.1:{port}")});
    let error = fetch(vec![Step::Hang], settings).await.unwrap_err();
    assert_eq!(error.code(), "unavailable");
}

#[tokio::test]
async fn a_slow_drip_does_not_hold_longer_than_the_timeout() {
    let start = Instant::now();
    fetch(vec![Step::Drip], json!({"timeout": 0.3}))
        .await
        .unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn what_keeps_failing_is_left_alone() {
    let server = Server::play(vec![Step::status(500)]).await;
    let provider = server.provider(
        "tiingo",
        json!({"tries": 4, "retry_pause": 0.01, "circuit_failures": 5}),
    );
    let known = Validators::default();
    for _ in 0..4 {
        let error = provider.daily("AAPL", window(), &known).await.unwrap_err();
        assert_eq!(error.code(), "unavailable");
    }
    assert_eq!(server.requests().len(), 5);
    let error = provider.daily("AAPL", window(), &known).await.unwrap_err();
    assert!(error.to_string().contains("left alone"), "{error}");
}

#[tokio::test]
async fn keys_travel_where_they_belong_and_appear_in_no_error() {
    for (settings, place) in [
        (json!({"api_key": "geheim"}), "authorization: Token geheim"),
        (json!({"api_key": "geheim", "key_query": "k"}), "&k=geheim"),
    ] {
        let server = Server::play(vec![Step::status(401)]).await;
        let provider = server.provider("tiingo", settings.clone());
        let error = provider
            .daily("AAPL", window(), &Validators::default())
            .await
            .unwrap_err();
        assert!(
            server.requests()[0].contains(place),
            "{}",
            server.requests()[0]
        );
        let told = format!("{error} {error:?} {provider:?}");
        assert!(!told.contains("geheim"), "{told}");
        drop(provider);
        let gone =
            json!({"base_url": format!("http://127.0.0.1:{}", testkit::free_port()), "tries": 1});
        let mut settings = settings;
        settings
            .as_object_mut()
            .unwrap()
            .extend(gone.as_object().unwrap().clone());
        let provider = server.provider("tiingo", settings);
        let error = provider
            .daily("AAPL", window(), &Validators::default())
            .await
            .unwrap_err();
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

#[tokio::test]
async fn those_who_ask_the_same_share_one_request() {
    let server = Server::play(vec![Step::ok("[]")]).await;
    let provider = server.provider("tiingo", json!({}));
    let known = Validators::default();
    let asked = (0..8).map(|_| provider.daily("AAPL", window(), &known));
    let answers = futures_util::future::join_all(asked).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_provider_of_one_s_own_is_described_in_the_settings() {
    let body = r#"{"data": {"bars": [{"d": "2005-02-23", "c": "88.23", "v": 5}], "last": {"p": 88.5, "t": 1109169000}}}"#;
    let server = Server::play(vec![Step::ok(body)]).await;
    let fields = json!({
        "daily": {"rows": "data/bars", "date": "d", "close": "c", "volume": "v"},
        "quote": {"price": "data/last/p", "at": "data/last/t"},
    });
    let settings = json!({"daily": "/v1/bars?s={symbol}&from={from}", "quote": "/v1/last?s={symbol}", "fields": fields});
    let provider = server.provider("json", settings);
    let daily = provider
        .daily("BRK.B", window(), &Validators::default())
        .await
        .unwrap();
    let Fetched::New(daily, _) = daily else {
        panic!("new")
    };
    assert_eq!(daily.bars[0].close.to_string(), "88.23");
    let quote = provider.quote("BRK.B").await.unwrap();
    assert_eq!(quote.price.to_string(), "88.5");
    assert_eq!(quote.quoted_at.to_string(), "2005-02-23T14:30:00Z");
    assert!(server.requests()[0].starts_with("GET /v1/bars?s=BRK.B&from=2005-02-23 "));
    assert_eq!(
        provider.info("BRK.B").await.unwrap_err().code(),
        "unsupported"
    );
}
