//! Every case and sequence of the oracle file `providers.json`, over real HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use market_data::{Daily, Error, Fetched, Provider, RatesRequest, Validators, Window};
use portfolio::market::ActionKind;
use portfolio::store::{NewAsset, NewBars, RateRow};
use serde_json::{Value, json};

use crate::fixtures;
use crate::place::{NOW, Place};
use crate::server::{Server, Step};

fn family() -> Value {
    serde_json::from_str(&fixtures::oracle("providers.json")).unwrap()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

fn window(request: &Value) -> Window {
    Window {
        from: text(request, "from").parse().unwrap(),
        to: text(request, "to").parse().unwrap(),
    }
}

/// A step of a script: a status, a word, or an answer in detail; `body` stands for one that is not given.
fn step(value: &Value, body: &str) -> Step {
    match value {
        Value::String(word) if word == "reset" => Step::Reset,
        Value::String(word) if word == "hang" => Step::Hang,
        Value::Number(status) if status.as_u64() == Some(200) => Step::ok(body),
        Value::Number(status) => Step::status(u16::try_from(status.as_u64().unwrap()).unwrap()),
        detailed => {
            let headers = detailed["headers"].as_object().into_iter().flatten();
            let headers =
                headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
            Step::Answer {
                status: u16::try_from(detailed["status"].as_u64().unwrap()).unwrap(),
                headers: headers.collect(),
                body: detailed["body"].as_str().unwrap_or(body).into(),
            }
        }
    }
}

fn error(error: &Error) -> Value {
    let wait = error.retry_after().map(|wait| wait.as_secs());
    json!({"error": {"kind": error.code(), "retryable": error.is_retryable(), "retry_after_s": wait}})
}

fn daily(daily: &Daily) -> Value {
    let action = |action: &portfolio::market::Action| {
        let kind = if action.kind == ActionKind::Split {
            "split"
        } else {
            "dividend"
        };
        json!({"ex_date": action.ex_date, "type": kind, "value": action.value})
    };
    let actions: Vec<Value> = daily.actions.iter().map(action).collect();
    json!({"bars": daily.bars, "actions": actions, "adjusted": daily.adjusted, "dropped": daily.dropped})
}

fn answer<T>(fetched: market_data::Result<Fetched<T>>, ok: impl Fn(&T) -> Value) -> Value {
    match fetched {
        Ok(Fetched::New(value, _)) => json!({"ok": ok(&value)}),
        Ok(Fetched::NotModified) => json!({"not_modified": true}),
        Err(failed) => error(&failed),
    }
}

/// A database through which answers go before they are compared.
struct Through<'p> {
    place: &'p Place,
    exchange: &'p str,
}

impl Through<'_> {
    async fn asset(&self) -> i64 {
        let asset = NewAsset {
            exchange: self.exchange,
            ..NewAsset::share("CASE", "USD".parse().unwrap())
        };
        self.place.store.put_asset(&asset).await.unwrap()
    }

    /// The answer with closes and actions as they are read again. Adjusted prices never come back as prices as traded.
    async fn daily(&self, mut daily: Daily) -> Daily {
        let store = &self.place.store;
        let bars = NewBars {
            asset_id: self.asset().await,
            prices: &daily.bars,
            adjusted: daily.adjusted,
            actions: &daily.actions,
            source: "test",
        };
        store.put_bars(&bars, NOW.parse().unwrap()).await.unwrap();
        let market = store.market(&[bars.asset_id]).await.unwrap();
        let [stored] = market.assets() else {
            panic!("one asset")
        };
        if daily.adjusted {
            assert_eq!(stored.closes.iter().count(), 0);
        } else {
            let closes: BTreeMap<_, _> = stored.closes.iter().collect();
            assert_eq!(closes.len(), daily.bars.len());
            for bar in &mut daily.bars {
                bar.close = *closes[&bar.date];
            }
        }
        daily.actions.clone_from(&stored.actions);
        daily
    }

    /// The rates as they are read again.
    async fn rates(&self, mut rates: Vec<RateRow>) -> Vec<RateRow> {
        let store = &self.place.store;
        store.put_rate_rows(&rates, "test").await.unwrap();
        let (stored, euro) = (store.rates().await.unwrap(), "EUR".parse().unwrap());
        for row in &mut rates {
            row.rate = stored.rate(euro, row.currency, row.date).unwrap();
        }
        rates
    }

    /// Of an answer that is an error nothing comes into the database.
    async fn nothing(&self) {
        let id = self.asset().await;
        let market = self.place.store.market(&[id]).await.unwrap();
        let stored = &market.assets()[0];
        assert_eq!((stored.closes.iter().count(), stored.actions.len()), (0, 0));
    }
}

async fn actual(
    provider: Arc<dyn Provider>,
    request: &Value,
    through: Option<Through<'_>>,
) -> Value {
    let known = Validators::default();
    let Some(base) = request["base"].as_str() else {
        let fetched = provider
            .daily(text(request, "symbol"), window(request), &known)
            .await;
        let fetched = match (fetched, through) {
            (Ok(Fetched::New(daily, validators)), Some(through)) => {
                Ok(Fetched::New(through.daily(daily).await, validators))
            }
            (Err(error), Some(through)) => {
                through.nothing().await;
                Err(error)
            }
            (fetched, _) => fetched,
        };
        return answer(fetched, daily);
    };
    let quotes = request["quotes"].as_array().unwrap().iter();
    let wanted = RatesRequest {
        base: base.parse().unwrap(),
        quotes: quotes
            .map(|code| code.as_str().unwrap().parse().unwrap())
            .collect(),
        window: window(request),
    };
    let fetched = match (provider.rates(&wanted, &known).await, through) {
        (Ok(Fetched::New(rates, validators)), Some(through)) => {
            Ok(Fetched::New(through.rates(rates).await, validators))
        }
        (fetched, _) => fetched,
    };
    answer(fetched, |rates| {
        let rate = |row: &RateRow| json!({"date": row.date, "base": base, "quote": row.currency, "rate": row.rate});
        json!({"rates": rates.iter().map(rate).collect::<Vec<_>>()})
    })
}

#[tokio::test]
async fn providers_oracles() {
    every_case("in memory", None).await;
}

#[tokio::test]
async fn providers_oracles_on_sqlite() {
    every_case("on SQLite", Some(Place::new().await)).await;
}

#[tokio::test]
async fn providers_oracles_on_postgres() {
    every_case("on PostgreSQL", Some(Place::on_postgres().await)).await;
}

async fn every_case(place_name: &str, place: Option<Place>) {
    let family = family();
    let cases = family["cases"].as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let input = &case["input"];
        let server = Server::play(vec![step(&input["response"], "")]).await;
        let provider = server.provider(text(input, "provider"), json!({"tries": 1}));
        let through = place.as_ref().map(|place| Through {
            place,
            exchange: text(case, "id"),
        });
        let actual = actual(provider, &input["request"], through).await;
        if actual != case["expected"] {
            wrong.push(format!(
                "{}: {actual}\n  expected {}",
                text(case, "id"),
                case["expected"]
            ));
        }
    }
    println!("oracle providers.json {place_name}: {} cases", cases.len());
    assert!(
        !cases.is_empty() && wrong.is_empty(),
        "{}",
        wrong.join("\n")
    );
}

/// A body that every sequence's answer with status 200 has.
fn some_case(family: &Value) -> &Value {
    let mut cases = family["cases"].as_array().unwrap().iter();
    let good = |case: &&Value| {
        text(&case["input"], "provider") == "tiingo" && !case["expected"]["ok"].is_null()
    };
    &cases.find(good).unwrap()["input"]
}

async fn sequence(family: &Value, sequence: &Value) -> Result<(), String> {
    let (input, expected) = (some_case(family), &sequence["expected"]);
    let body = text(&input["response"], "body");
    let steps = sequence["responses"].as_array().unwrap().iter();
    let server = Server::play(steps.map(|value| step(value, body)).collect()).await;
    let provider = server.provider("tiingo", json!({"timeout": 1.0, "retry_pause": 0.05}));
    let fetch = async |known: &Validators| {
        provider
            .daily(
                text(&input["request"], "symbol"),
                window(&input["request"]),
                known,
            )
            .await
    };
    let fetched = fetch(&Validators::default()).await;
    let result = fetched.as_ref().map_or_else(|error| error.code(), |_| "ok");
    let mut actual = json!({"result": result});
    if let Err(error) = &fetched {
        actual["retry_after_s"] = json!(error.retry_after().map(|wait| wait.as_secs()));
    }
    if !expected["second_request_headers"].is_null() {
        let Ok(Fetched::New(_, validators)) = fetched else {
            return Err("no answer".to_owned());
        };
        let again = fetch(&validators).await;
        let written = i32::from(matches!(again, Ok(Fetched::New(..))));
        actual["rows_written_second"] = json!(written);
        let (name, value) = expected["second_request_headers"]
            .as_object()
            .unwrap()
            .iter()
            .next()
            .unwrap();
        let header = format!("{}: {}", name.to_lowercase(), value.as_str().unwrap());
        if server.requests()[1].contains(&header) {
            actual["second_request_headers"] = expected["second_request_headers"].clone();
        }
    }
    actual["requests"] = json!(server.requests().len());
    if let Some(least) = expected["min_wait_s"].as_u64() {
        let times = server.times();
        if times[1] - times[0] >= Duration::from_secs(least) {
            actual["min_wait_s"] = json!(least);
        }
    }
    let holds = expected
        .as_object()
        .unwrap()
        .iter()
        .all(|(name, due)| actual[name] == *due);
    if holds {
        Ok(())
    } else {
        Err(format!(
            "{}: {actual}\n  expected {expected}",
            text(sequence, "id")
        ))
    }
}

#[tokio::test]
async fn providers_sequences() {
    let family = family();
    let sequences = family["sequences"].as_array().unwrap();
    let mut wrong = Vec::new();
    for case in sequences {
        wrong.extend(sequence(&family, case).await.err());
    }
    println!(
        "providers.json: {} of {} sequences hold",
        sequences.len() - wrong.len(),
        sequences.len()
    );
    assert!(
        !sequences.is_empty() && wrong.is_empty(),
        "{}",
        wrong.join("\n")
    );
}
