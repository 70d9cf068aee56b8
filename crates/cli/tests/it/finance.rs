use portfolio::store::{NewAsset, Store};

use crate::sandbox::{Sandbox, stderr, stdout};

async fn database(sandbox: &Sandbox) {
    std::fs::create_dir(sandbox.path().join("data")).unwrap();
    let store = Store::create(sandbox.path().join("data/finance.db"))
        .await
        .unwrap();
    let asset = NewAsset {
        name: "Test Inc.",
        ..NewAsset::share("TEST", "USD".parse().unwrap())
    };
    store.put_asset(&asset).await.unwrap();
    store.close().await;
}

#[test]
fn without_a_database_it_says_what_to_do() {
    let text = stderr(&Sandbox::new().run(&["finance", "summary"]).code(1));
    assert!(
        text.contains("celeriac finance init makes one, celeriac up --demo one with"),
        "{text}"
    );
}

#[tokio::test]
async fn prices_are_imported_once_and_bad_rows_listed() {
    let sandbox = Sandbox::new();
    database(&sandbox).await;
    let head = "date,open,high,low,close,volume\n";
    let good = sandbox.file(
        "good.csv",
        &format!("{head}2024-01-02,1,2,1,1.5,100\n2024-01-03,1,2,1,1.6,100\n"),
    );
    let import = ["finance", "import-prices", "TEST", good.to_str().unwrap()];
    assert_eq!(sandbox.json(&import)["written"], 2);
    assert_eq!(sandbox.json(&import)["unchanged"], 2);

    let bad = sandbox.file("bad.csv", &format!("{head}2024-01-04,1,2,1,-5,100\n"));
    let report = stdout(
        &sandbox
            .run(&["finance", "import-prices", "TEST", bad.to_str().unwrap()])
            .code(1),
    );
    assert!(report.contains("1 refused"), "{report}");
    assert!(report.contains("line 2: close"), "{report}");

    let text = stderr(
        &sandbox
            .run(&["finance", "import-prices", "NONE", good.to_str().unwrap()])
            .code(1),
    );
    assert!(text.contains("there is no asset NONE"), "{text}");
    let empty = stdout(&sandbox.run(&["finance", "summary"]).success());
    assert!(empty.contains("nothing has been computed yet"), "{empty}");
}

#[tokio::test]
async fn transactions_need_an_owner_that_exists() {
    let sandbox = Sandbox::new();
    database(&sandbox).await;
    let file = sandbox.file("ledger.csv", "account,type\n");
    sandbox
        .run(&[
            "finance",
            "import-transactions",
            "--user",
            "9",
            file.to_str().unwrap(),
        ])
        .code(1);
    sandbox
        .run(&["finance", "import-transactions", file.to_str().unwrap()])
        .code(64);
}

#[test]
fn the_settings_to_begin_with_are_sound() {
    let sandbox = Sandbox::new();
    let text = stdout(&sandbox.run(&["finance", "settings"]).success());
    sandbox.file("celeriac.toml", &text);
    // Exit code 1 if an entry were wrong.
    let entries = sandbox.json(&["schedule", "list"]);
    let tasks: Vec<_> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["task"])
        .collect();
    assert!(
        tasks
            .iter()
            .any(|task| *task == "finflow.core.tasks.refresh_portfolio_analytics")
    );
    sandbox
        .run(&["call", "finflow.core.tasks.refresh_portfolio_analytics"])
        .success();
    assert_eq!(sandbox.json(&["queues"])["queues"]["analytics"]["ready"], 1);
}

async fn sample(sandbox: &Sandbox) {
    std::fs::create_dir(sandbox.path().join("data")).unwrap();
    let file = sandbox.path().join("data/finance.db");
    let store = Store::create(file).await.unwrap();
    let now = jiff::Timestamp::now();
    portfolio::demo::install(
        &store,
        &portfolio::demo::DemoFiles::embedded(),
        now,
        &mut |_| {},
    )
    .await
    .unwrap();
    store.close().await;
}

#[tokio::test]
async fn reports_and_exports_are_files_and_again_the_same_bytes() {
    let sandbox = Sandbox::new();
    sample(&sandbox).await;
    let report = [
        "finance",
        "report",
        "--user",
        "1",
        "--end",
        "2013-03-01",
        "--format",
        "pdf",
        "--format",
        "html",
    ];
    let first = sandbox.json(&report);
    assert_eq!(first.as_array().unwrap().len(), 4, "{first}");
    assert_eq!(first, sandbox.json(&report));
    let pdf = first[0]["path"].as_str().unwrap();
    assert!(
        pdf.ends_with("Growth-1-comprehensive-2013-03-01.pdf"),
        "{pdf}"
    );
    let bytes = std::fs::read(sandbox.path().join(pdf)).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.7"));
    assert_eq!(first[0]["bytes"], bytes.len());

    let export = [
        "finance",
        "export",
        "--user",
        "2",
        "--start",
        "2012-01-01",
        "--end",
        "2012-12-31",
    ];
    let exported = sandbox.json(&export);
    let csv =
        std::fs::read_to_string(sandbox.path().join(exported["path"].as_str().unwrap())).unwrap();
    assert_eq!(exported["rows"], csv.matches("\r\n").count() - 1);
    assert!(csv.contains("\r\nholding,2012-12-31,Depot,"), "{csv}");

    let missing = ["finance", "report", "--user", "77"];
    let text = stderr(&sandbox.run(&missing).code(1));
    assert!(text.contains("user 77 does not exist"), "{text}");
}

#[tokio::test]
async fn prices_are_fetched_from_the_folder_and_twice_is_once() {
    let sandbox = Sandbox::new();
    database(&sandbox).await;
    let folder = sandbox.path().join("data/market");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("TEST.csv"),
        "date,close\n2024-01-02,1.5\n2024-01-03,1.6\n",
    )
    .unwrap();
    let fetch = [
        "finance",
        "fetch-market-data",
        "-s",
        "test",
        "--start",
        "2024-01-01",
        "--end",
        "2024-01-31",
    ];
    let report = sandbox.json(&fetch);
    assert_eq!(report["symbols"]["TEST"]["rows_inserted"], 2, "{report}");
    assert_eq!(
        sandbox.json(&fetch)["symbols"]["TEST"]["not_modified"],
        true
    );
    let forced = sandbox.json(&[&fetch[..], &["--force"]].concat());
    assert_eq!(forced["symbols"]["TEST"]["rows_unchanged"], 2);

    let both = sandbox
        .run(&[&fetch[..], &["-s", "NONE", "--force"]].concat())
        .code(1);
    assert!(
        stdout(&both).contains("TEST    folder"),
        "{}",
        stdout(&both)
    );
    assert!(
        stderr(&both).contains("error: NONE: folder does not know NONE"),
        "{}",
        stderr(&both)
    );
    sandbox
        .run(&["finance", "fetch-market-data", "-s", "../etc"])
        .code(64);
    let named = [&fetch[..], &["--provider", "nobody"]].concat();
    assert!(stderr(&sandbox.run(&named).code(1)).contains("provider = nobody"));
}

#[tokio::test]
async fn newest_prices_become_quotes() {
    let sandbox = Sandbox::new();
    database(&sandbox).await;
    let folder = sandbox.path().join("data/market");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("TEST.csv"), "date,close\n2024-01-02,1.5\n").unwrap();
    let update = ["finance", "update-prices", "-s", "TEST"];
    assert_eq!(sandbox.json(&update)["updated"], 1);
    // It is younger than a minute.
    assert_eq!(sandbox.json(&update)["unchanged"], 1);
    let nothing_held = stdout(&sandbox.run(&["finance", "update-prices"]).success());
    assert!(nothing_held.starts_with("0 assets"), "{nothing_held}");
    sandbox
        .run(&["finance", "update-prices", "--portfolio", "9"])
        .code(1);
}

#[tokio::test]
async fn a_backup_is_restored_elsewhere_and_over_rows_only_by_force() {
    let sandbox = Sandbox::new();
    database(&sandbox).await;
    let manifest = sandbox.json(&["finance", "backup", "--keep", "3"]);
    assert_eq!(manifest["verified"], true, "{manifest}");
    assert_eq!(manifest["row_counts"]["assets"], 1);
    let backup = manifest["path"].as_str().unwrap();
    let checked = stdout(
        &sandbox
            .run(&["finance", "restore", backup, "--check"])
            .success(),
    );
    assert!(checked.contains("whole: 1 rows"), "{checked}");

    let elsewhere = ["finance", "restore", backup, "--to", "new/other.db"];
    assert_eq!(sandbox.json(&elsewhere)["row_counts"]["assets"], 1);
    assert!(sandbox.path().join("new/other.db").is_file());

    let over = ["finance", "restore", backup];
    let text = stderr(&sandbox.run(&over).code(64));
    assert!(
        text.contains("is not empty") && text.contains("--force"),
        "{text}"
    );
    let forced = ["finance", "restore", backup, "--force"];
    assert_eq!(sandbox.json(&forced)["replaced"], true);
}

#[tokio::test]
async fn a_full_disk_leaves_nothing_of_a_backup_and_nothing_of_a_restored_database() {
    let sandbox = Sandbox::new();
    sample(&sandbox).await;
    let program = testkit::bin("celeriac");
    // No file may grow beyond this many blocks of 1 kB, which is what a full disk looks like to the one who writes.
    let limited = |arguments: &str| {
        let mut command = std::process::Command::new("bash");
        let script = format!(
            "trap '' XFSZ; ulimit -f 100; exec {} {arguments}",
            program.display()
        );
        let output = command
            .args(["-c", &script])
            .current_dir(sandbox.path())
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let text = limited("finance backup --no-verify --plain");
    assert!(text.contains("full"), "{text}");
    let left = std::fs::read_dir(sandbox.path().join("data/backups"));
    assert_eq!(left.map_or(0, Iterator::count), 0);

    let manifest = sandbox.json(&["finance", "backup"]);
    let backup = manifest["path"].as_str().unwrap();
    let text = limited(&format!("finance restore {backup} --to new.db"));
    // SQLite takes a limit for a broken disk and says so; a full one it knows.
    assert!(text.contains("disk"), "{text}");
    for name in ["new.db", "new.db-wal", "new.db-shm"] {
        assert!(!sandbox.path().join(name).exists(), "{name}");
    }
}

#[tokio::test]
async fn finance_tasks_are_tried_in_this_process() {
    let sandbox = Sandbox::new();
    database(&sandbox).await;
    let cleanup = ["finance", "test-tasks", "--task", "cleanup", "--sync"];
    let ended = sandbox.json(&cleanup);
    assert_eq!(ended[0]["task"], "dashboard.tasks.cleanup_old_data");
    assert_eq!(ended[0]["state"], "SUCCESS", "{ended}");
    let nobody = [
        "finance",
        "test-tasks",
        "--task",
        "refresh",
        "--user-id",
        "77",
        "--sync",
    ];
    let text = stdout(&sandbox.run(&nobody).code(1));
    assert!(text.contains("NotFound"), "{text}");
}
