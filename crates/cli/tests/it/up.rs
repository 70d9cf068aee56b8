//! The service manager with services that are shell scripts.

use jiff::{SignedDuration, Timestamp};
use portfolio::store::{LockAttempt, Store};
use testkit::{Process, Signal, wait_until};

use crate::sandbox::{PATIENCE, Sandbox, stderr};

fn service(sandbox: &Sandbox, name: &str, script: &str) -> String {
    let path = sandbox.script(name, script);
    format!(
        "[celeriac_services.{name}]\ncommand = '{}'\n",
        path.display()
    )
}

fn up(sandbox: &Sandbox, services: &[String]) -> Process {
    sandbox.file("celeriac.toml", &services.concat());
    sandbox.spawn(&["up"])
}

/// Ends with 0 on TERM.
const POLITE: &str = "trap 'echo bye >&2; exit 0' TERM; echo up >&2; while :; do sleep 0.02; done";

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_prefixed_and_output_is_left_alone() {
    let sandbox = Sandbox::new();
    let script = format!("echo 'Analytics refreshed'; {POLITE}");
    let mut up = up(
        &sandbox,
        &[
            service(&sandbox, "one", &script),
            service(&sandbox, "longer", POLITE),
        ],
    );
    up.wait_for_line(|line| line == "Analytics refreshed", PATIENCE)
        .await;
    up.wait_for_line(|line| line == "one      | up", PATIENCE)
        .await;
    up.wait_for_line(|line| line == "longer   | up", PATIENCE)
        .await;
    up.terminate();
    up.wait_for_line(|line| line == "longer   | bye", PATIENCE)
        .await;
    assert!(up.wait_exit(PATIENCE).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_is_passed_on_once_as_term() {
    let sandbox = Sandbox::new();
    let mut up = up(&sandbox, &[service(&sandbox, "one", POLITE)]);
    up.wait_for_line(|line| line.ends_with("| up"), PATIENCE)
        .await;
    up.signal(Signal::SIGINT);
    up.wait_for_line(|line| line.ends_with("| bye"), PATIENCE)
        .await;
    assert!(up.wait_exit(PATIENCE).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_stops_cold() {
    let sandbox = Sandbox::new();
    let stubborn = "trap 'echo term >&2' TERM; trap 'echo quit >&2; exit 0' QUIT; echo up >&2; while :; do sleep 0.02; done";
    let mut up = up(&sandbox, &[service(&sandbox, "one", stubborn)]);
    up.wait_for_line(|line| line.ends_with("| up"), PATIENCE)
        .await;
    up.signal(Signal::SIGINT);
    up.wait_for_line(|line| line.ends_with("| term"), PATIENCE)
        .await;
    up.signal(Signal::SIGINT);
    up.wait_for_line(|line| line.ends_with("| quit"), PATIENCE)
        .await;
    assert!(up.wait_exit(PATIENCE).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_ends_is_started_again() {
    let sandbox = Sandbox::new();
    let flaky = "trap 'exit 0' TERM; echo run >> runs; test $(wc -l < runs) -ge 2 || exit 3; while :; do sleep 0.02; done";
    let mut up = up(&sandbox, &[service(&sandbox, "flaky", flaky)]);
    up.wait_for_line(
        |line| line.contains("exit status: 3") && line.contains("starting again"),
        PATIENCE,
    )
    .await;
    let runs = sandbox.path().join("runs");
    wait_until(PATIENCE, || async {
        std::fs::read_to_string(&runs).is_ok_and(|text| text.lines().count() == 2)
    })
    .await;
    up.terminate();
    assert!(up.wait_exit(PATIENCE).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_of_a_service_end_everything() {
    let sandbox = Sandbox::new();
    let mut up = up(
        &sandbox,
        &[
            service(&sandbox, "good", POLITE),
            service(&sandbox, "bad", "exit 78"),
        ],
    );
    assert_eq!(
        up.wait_exit(PATIENCE).await.code(),
        Some(78),
        "{}",
        up.output()
    );
    assert!(up.output().contains("not started again"), "{}", up.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn services_see_the_manager_s_command_line() {
    let sandbox = Sandbox::new();
    let script =
        format!("echo \"$CELERY_BROKER_URL $CELERIAC_DATA_FOLDER $CELERIAC_SUPERVISED\"; {POLITE}");
    sandbox.file("celeriac.toml", &service(&sandbox, "one", &script));
    let mut up = sandbox.spawn(&["up", "--broker", "sqlite:x.db", "--data", "elsewhere"]);
    up.wait_for_line(|line| line == "sqlite:x.db elsewhere 1", PATIENCE)
        .await;
    // A manager that is killed leaves a shell behind.
    up.signal(Signal::SIGTERM);
    up.wait_exit(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_ends_when_its_manager_is_killed() {
    let sandbox = Sandbox::new();
    let worker = testkit::bin("celeriac-worker-maintenance");
    // A lease this long cannot be what makes it vanish.
    let lease = "celeriac_lease_seconds = 3600\n";
    let service = format!(
        "[celeriac_services.w]\ncommand = '{}'\nqueues = ['default']\n",
        worker.display()
    );
    sandbox.file("celeriac.toml", &format!("{lease}{service}"));
    let mut up = sandbox.spawn(&["up"]);
    up.wait_for_line(|line| line.contains("worker ready"), PATIENCE)
        .await;
    // To the manager alone: the worker is in a group of its own and must notice by itself.
    up.signal(Signal::SIGKILL);
    let leases = || {
        sandbox.json(&["queues"])["workers"]
            .as_array()
            .unwrap()
            .len()
    };
    wait_until(PATIENCE, || async { leases() == 0 }).await;
}

#[test]
fn an_impossible_table_of_services_is_told() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", "[celeriac_services.x]\nqueues = ['a']\n");
    let text = stderr(&sandbox.run(&["up"]).code(64));
    assert!(text.contains("`celeriac_services`, x"), "{text}");
}

#[test]
fn once_is_for_the_demo_only() {
    Sandbox::new().run(&["up", "--once"]).code(64);
}

#[test]
fn a_broker_of_one_process_is_refused() {
    let text = stderr(
        &Sandbox::new()
            .run(&["up", "--broker", "memory://"])
            .code(64),
    );
    assert!(text.contains("memory:// is for one process"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_whose_services_cannot_start_ends() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", &service(&sandbox, "bad", "exit 78"));
    let mut up = sandbox.spawn(&["up", "--demo"]);
    assert_eq!(
        up.wait_exit(PATIENCE).await.code(),
        Some(78),
        "{}",
        up.output()
    );
    assert!(sandbox.path().join("data/finance.db").is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn other_terminals_see_the_demo_s_routes_schedule_and_results() {
    for program in [
        "celeriac-beat",
        "celeriac-worker-analytics",
        "celeriac-worker-maintenance",
    ] {
        assert!(testkit::bin(program).is_file());
    }
    let sandbox = Sandbox::new();
    let mut up = sandbox.spawn(&["up", "--demo"]);
    up.wait_for_line(|line| line.ends_with(" schedule next"), PATIENCE)
        .await;
    let output = up.output();
    let (screen, commands) = output.split_once("To try").unwrap();
    assert!(!commands.contains("export"), "{output}");
    for line in screen.lines().filter(|line| !line.contains(" | ")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let place = |text| output.find(text).unwrap();
    assert!(
        place("Analytics refreshed") < place("3 portfolios of"),
        "{output}"
    );
    let refresh = "finflow.core.tasks.refresh_portfolio_analytics";
    let result = sandbox.json(&["call", refresh, "--wait"]);
    assert_eq!(result["status"], "SUCCESS");
    let entries = sandbox.json(&["schedule", "list"]);
    let mut names = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["name"]);
    assert!(
        names.any(|name| name == "refresh-portfolio-analytics-hourly"),
        "{entries}"
    );
    assert!(sandbox.path().join("data/celeriac.toml").is_file());
    up.terminate();
    assert!(up.wait_exit(PATIENCE).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_prints_what_other_terminals_need() {
    let sandbox = Sandbox::new();
    let server = testkit::RedisServer::builder().password("hunter2").start();
    let mut up = sandbox.spawn(&["up", "--demo", "--data", "d", "--broker", &server.url()]);
    up.wait_for_line(|line| line.ends_with(" schedule next"), PATIENCE)
        .await;
    for name in [
        "CELERY_BROKER_URL",
        "CELERY_RESULT_BACKEND",
        "CELERIAC_DATA_FOLDER",
    ] {
        assert!(
            up.output().contains(&format!("  export {name}='")),
            "{}",
            up.output()
        );
    }
    assert!(!up.output().contains("hunter2"), "{}", up.output());
    up.terminate();
    assert!(up.wait_exit(PATIENCE).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_leaves_a_settings_file_alone() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", "timezone = 'Europe/Paris'\n");
    let mut up = sandbox.spawn(&["up", "--demo", "--once"]);
    assert!(up.wait_exit(PATIENCE).await.success(), "{}", up.output());
    assert!(!sandbox.path().join("data/celeriac.toml").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_waits_while_another_refresh_runs() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().join("data");
    std::fs::create_dir(&folder).unwrap();
    let store = Store::create(&folder.join("finance.db")).await.unwrap();
    let hour = SignedDuration::from_hours(1);
    let lock = store.lock("analytics:all", "another", Timestamp::now(), hour);
    let LockAttempt::Acquired(lock) = lock.await.unwrap() else {
        panic!("nobody else is there")
    };
    let mut up = sandbox.spawn(&["up", "--demo", "--once"]);
    up.wait_for_line(
        |line| line.starts_with("Another refresh is running"),
        PATIENCE,
    )
    .await;
    store.unlock(&lock).await.unwrap();
    assert!(up.wait_exit(PATIENCE).await.success(), "{}", up.output());
    assert!(up.output().contains("3 portfolios of"), "{}", up.output());
}

#[test]
fn a_data_folder_that_cannot_be_made_is_told() {
    let up = ["up", "--demo", "--data", "/proc/celeriac"];
    let text = stderr(&Sandbox::new().run(&up).code(1));
    assert!(
        text.contains("cannot make the data folder /proc/celeriac"),
        "{text}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_to_ends_at_once() {
    let text = stderr(
        &Sandbox::new()
            .run(&["up", "--data", "/proc/celeriac"])
            .code(1),
    );
    assert!(text.contains("/proc/celeriac"), "{text}");
    assert!(!text.contains("starting"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_up_on_one_broker_is_told() {
    let sandbox = Sandbox::new();
    let worker = testkit::bin("celeriac-worker-maintenance");
    let services = format!(
        "[celeriac_services.w1]\ncommand = '{}'\nqueues = ['default']\n",
        worker.display()
    );
    sandbox.file("celeriac.toml", &services);
    let first = sandbox.spawn(&["up"]);
    first
        .wait_for_line(|line| line.contains("worker ready"), PATIENCE)
        .await;
    assert!(!first.output().contains("runs on this broker already"));
    let second = sandbox.spawn(&["up"]);
    second
        .wait_for_line(|line| line.contains("note: w1@"), PATIENCE)
        .await;
}
