//! Every case of the validation oracle on a worker whose database is on a server: what is refused leaves no run on record
//! there, what is accepted is on record with its arguments as they were understood.

use std::path::Path;
use std::time::Duration;

use client::Call;
use portfolio::store::Store;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tasks::App;
use testkit::{Postgres, wait_until};

use crate::support::{System, add_user};

const DEADLINE: Duration = Duration::from_secs(30);
const FIXTURES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../portfolio/tests/fixtures/oracles"
);

/// The server of the worker's finance database.
enum Server {
    Sqlite,
    Postgres(Postgres),
}

/// A worker with its database, in which the users are that the cases name.
struct Place {
    system: System,
    server: Server,
}

impl Place {
    async fn start(server: Server, users: u64) -> Self {
        let system = match &server {
            Server::Sqlite => System::start().await,
            Server::Postgres(server) => {
                let app = |data: &Path| App::new(data).with_database(server.url());
                System::of(app, &notify::Settings::default(), None).await
            }
        };
        let store = match &server {
            Server::Sqlite => Store::create(system.data.path().join("finance.db")).await,
            Server::Postgres(server) => Store::open_url(&server.url()).await,
        };
        let store = store.unwrap();
        for user in 1..=users {
            add_user(&store, &format!("{user}@example.org")).await;
        }
        Self { system, server }
    }

    /// A column of a run, from the server; empty when the run is not on record.
    async fn of_run(&self, task_id: &str, column: &str) -> String {
        let select = format!("SELECT {column} FROM task_runs WHERE task_id = '{task_id}'");
        match &self.server {
            Server::Sqlite => {
                let file = self.system.data.path().join("finance.db");
                let url = format!("sqlite://{}", file.display());
                let mut connection = SqliteConnection::connect(&url).await.unwrap();
                let found = sqlx::query_scalar(sqlx::AssertSqlSafe(select));
                let found: Option<String> = found.fetch_optional(&mut connection).await.unwrap();
                found.unwrap_or_default()
            }
            Server::Postgres(server) => server.sql(&select),
        }
    }

    /// What becomes of a case's call, in the oracle's words.
    async fn outcome(&self, case: &Value) -> Value {
        let call = self.call(&case["input"]);
        if case["expected"].get("ok").is_some() {
            return self.accepted(call).await;
        }
        let id = format!("refused-{}", case["id"]);
        let (kind, text) = self.system.fails(call.task_id(&id)).await;
        assert_eq!(kind, "InvalidArgument", "{text}");
        assert_eq!(self.of_run(&id, "state").await, "", "{text}");
        refusal(&text)
    }

    fn call(&self, input: &Value) -> Call<Value> {
        let mut call = self.system.call(input["task"].as_str().unwrap());
        for argument in input["args"].as_array().unwrap() {
            call = call.arg(argument);
        }
        for (name, argument) in input["kwargs"].as_object().unwrap() {
            call = call.kwarg(name, argument);
        }
        call
    }

    /// The arguments on record. What the task does with them is told elsewhere.
    async fn accepted(&self, call: Call<Value>) -> Value {
        let sent = call.send().await.unwrap();
        let args = async || self.of_run(sent.id(), "args").await;
        wait_until(DEADLINE, async || !args().await.is_empty()).await;
        let args: Value = serde_json::from_str(&args().await).unwrap();
        json!({ "ok": args })
    }
}

/// Code and field of a refusal: its text begins with the exception's type and both.
fn refusal(text: &str) -> Value {
    let told = text.strip_prefix("InvalidArgument: ").unwrap();
    let (code, told) = told.split_once(": ").unwrap();
    let field = told.split_once([' ', ':']).unwrap().0;
    let field = (code != "too_many_arguments").then_some(field);
    json!({"error": {"code": code, "field": field}})
}

async fn validation_oracles_hold(server: Server, on: &str) {
    let family = testkit::load_json("CELERIAC_ORACLES", Path::new(FIXTURES), "validation.json");
    let cases = family["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    let users = cases.iter().map(|case| &case["expected"]["ok"]["user_id"]);
    let users = users.filter_map(Value::as_u64).max().unwrap_or(1);
    let place = Place::start(server, users).await;
    for case in cases {
        let found = place.outcome(case).await;
        assert_eq!(found, case["expected"], "{}", case["id"]);
    }
    println!("oracle validation.json on {on}: {} cases", cases.len());
}

#[tokio::test]
async fn validation_oracles_hold_on_sqlite() {
    validation_oracles_hold(Server::Sqlite, "SQLite").await;
}

#[tokio::test]
async fn validation_oracles_hold_on_postgres() {
    validation_oracles_hold(Server::Postgres(Postgres::start()), "PostgreSQL").await;
}
