//! Days that follow each other, with whatever is written between them, give what refreshing everything from the rows gives.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use portfolio::analytics::{Envelope, RefreshData, RefreshRequest, refresh};
use portfolio::import::{Source, import_actions, import_rates};
use portfolio::store::Store;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::world::{Server, World, now};

/// The first day that is refreshed; ledgers begin some weeks before.
const START: Date = date(2013, 1, 2);
/// Days between the first price and the first day that is refreshed: more sessions than have prices in columns when values are kept.
const BEFORE: i64 = 150;
/// By how much, relatively, floats may differ.
const SLACK: f64 = 1e-12;
/// Sequences of days that are tried.
const CASES: u32 = 12;

/// What happens on a day, besides new prices.
#[derive(Clone, Debug)]
enum Happening {
    Nothing,
    /// Type, symbol, quantity or amount, and how many days before (or, negative, after) the day it is dated.
    Row(&'static str, &'static str, i64, i64),
    /// Symbol, type, value in hundredths, days before.
    Action(&'static str, &'static str, i64, i64),
    /// Symbol, close, days before.
    Price(&'static str, i64, i64),
    /// Units of a dollar per euro in ten-thousandths, days before.
    Rate(i64, i64),
}

use Happening::{Action, Nothing, Price, Rate, Row};

/// A day: how long after the one before, prices of both assets, and what happens.
#[derive(Clone, Debug)]
struct Day {
    wait: i64,
    closes: [i64; 2],
    happening: Happening,
}

fn symbol() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["AAA", "BBB"])
}

fn happening() -> impl Strategy<Value = Happening> {
    let kinds = prop::sample::select(vec![
        "buy",
        "sell",
        "dividend",
        "deposit",
        "fee",
        "transfer_in",
    ]);
    let actions = prop::sample::select(vec!["split", "dividend"]);
    prop_oneof![
        6 => Just(Nothing),
        3 => (kinds, symbol(), 1_i64..300, -3_i64..30)
            .prop_map(|(kind, symbol, size, before)| Row(kind, symbol, size, before)),
        1 => (actions, symbol(), 20_i64..300, -3_i64..50)
            .prop_map(|(kind, symbol, value, before)| Action(kind, symbol, value, before)),
        1 => (symbol(), 4_000_i64..6_000, 0_i64..50)
            .prop_map(|(symbol, close, before)| Price(symbol, close, before)),
        1 => (10_000_i64..15_000, 0_i64..50).prop_map(|(rate, before)| Rate(rate, before)),
    ]
}

fn days() -> impl Strategy<Value = Vec<Day>> {
    let day = (1_i64..5, [4_000_i64..6_000, 4_000_i64..6_000], happening());
    let day = day.prop_map(|(wait, closes, happening)| Day {
        wait,
        closes,
        happening,
    });
    prop::collection::vec(day, 4..10)
}

/// One database whose days follow each other, and one that is made from the rows each day.
struct Both {
    worlds: [World; 2],
    assets: BTreeMap<&'static str, i64>,
    users: [i64; 2],
    /// Rows so far, which names them.
    rows: usize,
}

impl Both {
    async fn new(automatic_income: bool) -> Both {
        let worlds = [
            World::empty(Server::Sqlite).await,
            World::empty(Server::Sqlite).await,
        ];
        let mut assets = BTreeMap::new();
        let mut users = [0; 2];
        for (world, user) in worlds.iter().zip(&mut users) {
            *user = world.user("ada@example.org").await;
            for symbol in ["AAA", "BBB"] {
                assets.insert(symbol, world.asset(symbol).await);
            }
        }
        let mut both = Both {
            worlds,
            assets,
            users,
            rows: 0,
        };
        both.rate(START.saturating_sub((BEFORE + 60).days()), 13_000)
            .await;
        both.begin(automatic_income).await;
        both
    }

    /// A portfolio of both assets and two currencies, with half a year of prices every other day.
    async fn begin(&mut self, automatic_income: bool) {
        let first = START.saturating_sub(BEFORE.days());
        for (symbol, step) in [("AAA", 17), ("BBB", 29)] {
            let closes = (0..BEFORE / 2).map(|turn| {
                let day = first.saturating_add((turn * 2).days());
                (day, 5_000 + (turn * step) % 113)
            });
            self.prices(symbol, closes).await;
        }
        let ledger = format!(
            "account,date,type,symbol,quantity,price,amount,currency\n\
             Main,{first},deposit,,,,1000000,USD\n\
             Main,{first},deposit,,,,50000,EUR\n\
             Main,{first},buy,AAA,1000,50,,USD\n\
             Main,{},buy,BBB,2000,50,,USD\n",
            first.saturating_add(7.days()),
        );
        for (world, user) in self.worlds.iter().zip(self.users) {
            world
                .portfolio(user, "Main", automatic_income, &ledger)
                .await;
        }
    }

    async fn price(&self, symbol: &str, day: Date, close: i64) {
        self.prices(symbol, [(day, close)].into_iter()).await;
    }

    async fn prices(&self, symbol: &str, closes: impl Iterator<Item = (Date, i64)>) {
        let lines = closes.map(|(day, close)| format!("{day},{}\n", hundredths(close)));
        let text = format!("date,close\n{}", lines.collect::<String>());
        for world in &self.worlds {
            world.prices(self.assets[symbol], &text).await;
        }
    }

    async fn rate(&self, day: Date, rate: i64) {
        let text = format!("date,USD\n{day},{}.{:04}\n", rate / 10_000, rate % 10_000);
        for world in &self.worlds {
            import_rates(&world.store, source(&text), "test", &mut |_| {})
                .await
                .unwrap();
        }
    }

    async fn action(&self, symbol: &str, kind: &str, day: Date, value: i64) {
        let value = hundredths(value);
        let text = format!("symbol,ex_date,type,value\n{symbol},{day},{kind},{value}\n");
        for world in &self.worlds {
            import_actions(&world.store, source(&text), "test", &mut |_| {})
                .await
                .unwrap();
        }
    }

    async fn row(&mut self, kind: &str, symbol: &str, day: Date, size: i64) {
        self.rows += 1;
        let cells = match kind {
            "deposit" | "fee" => format!(",,,{size}"),
            "dividend" => format!("{symbol},,,{size}"),
            "transfer_in" => format!("{symbol},{size},,{}", size * 40),
            _ => format!("{symbol},{size},50,"),
        };
        let text = format!(
            "account,date,type,symbol,quantity,price,amount,currency,external_id\n\
             Main,{day},{kind},{cells},USD,R-{}\n",
            self.rows
        );
        for (world, user) in self.worlds.iter().zip(self.users) {
            assert_eq!(world.transactions(user, &text).await.bad_rows, []);
        }
    }

    async fn happen(&mut self, happening: &Happening, today: Date) {
        let dated = |before: i64| today.saturating_sub(before.days());
        match *happening {
            Nothing => {}
            Row(kind, symbol, size, before) => self.row(kind, symbol, dated(before), size).await,
            Action(symbol_kind, symbol, value, before) => {
                self.action(symbol, symbol_kind, dated(before), value).await;
            }
            Price(symbol, close, before) => self.price(symbol, dated(before), close).await,
            Rate(rate, before) => self.rate(dated(before), rate).await,
        }
    }

    /// What both come to on a day.
    async fn come_to(&self, as_of: Date) -> [Come; 2] {
        let [following, fresh] = &self.worlds;
        [
            come_to(&following.store, as_of, false).await,
            come_to(&fresh.store, as_of, true).await,
        ]
    }
}

fn source(text: &str) -> Source<'_> {
    Source {
        name: "test",
        bytes: text.as_bytes(),
        now: now(),
    }
}

fn hundredths(value: i64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

/// The result, but for what says how it was made, and everything that is stored; or why there is none.
type Come = Result<Value, String>;

async fn come_to(store: &Store, as_of: Date, full: bool) -> Come {
    let request = RefreshRequest {
        as_of: Some(as_of),
        full,
        clock: now,
        ..RefreshRequest::new("task-1")
    };
    let done = refresh(store, &request, &mut |_| {}, &|| false).await;
    let done: Envelope<RefreshData> = done.map_err(|error| error.to_string())?;
    let mut stored = vec![serde_json::to_value((&done.warnings, &done.errors)).unwrap()];
    stored.push(parsed(store.figures("portfolio", 1, "all").await.unwrap()));
    for part in ["summary", "holdings", "performance"] {
        let entry = store.cached(&format!("portfolio:1:{part}")).await;
        stored.push(parsed(entry.unwrap()));
    }
    let data = RefreshData {
        portfolios_skipped: 0,
        ..done.data
    };
    Ok(json!([data, stored]))
}

/// Equal, but for the last digits of floats.
fn are_alike(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            let mut pairs = left.iter().zip(right);
            left.len() == right.len() && pairs.all(|(left, right)| are_alike(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let alike = |(name, left): (&String, &Value)| {
                right.get(name).is_some_and(|right| are_alike(left, right))
            };
            left.len() == right.len() && left.iter().all(alike)
        }
        (Value::Number(left), Value::Number(right)) => match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => (left - right).abs() <= SLACK * (1.0 + right.abs()),
            _ => left == right,
        },
        _ => left == right,
    }
}

fn parsed(text: Option<String>) -> Value {
    serde_json::from_str(&text.unwrap()).unwrap()
}

async fn check(automatic_income: bool, days: &[Day]) -> Result<(), TestCaseError> {
    let mut both = Both::new(automatic_income).await;
    let mut today = START;
    for day in days {
        today = today.saturating_add(day.wait.days());
        for (symbol, close) in ["AAA", "BBB"].into_iter().zip(day.closes) {
            both.price(symbol, today, close).await;
        }
        both.happen(&day.happening, today).await;
        let [following, fresh] = both.come_to(today).await;
        let alike = match (&following, &fresh) {
            (Ok(following), Ok(fresh)) => are_alike(following, fresh),
            _ => following == fresh,
        };
        prop_assert!(alike, "{today}: {day:?}\n{following:?}\n{fresh:?}");
    }
    Ok(())
}

#[test]
fn following_days_give_what_all_rows_give() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = ProptestConfig {
        cases: CASES,
        max_shrink_iters: 50,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    runner
        .run(&(any::<bool>(), days()), |(automatic_income, days)| {
            runtime.block_on(check(automatic_income, &days))
        })
        .unwrap();
}
