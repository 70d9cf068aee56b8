//! Who may depend on whom. A crate that is new here gets its line in [`ARROWS`] first.

use super::assert_none;
use super::workspace::{Package, find, linked_crates, packages};

/// Each crate of the workspace, and the crates of the workspace that it may link.
const ARROWS: &[(&str, &[&str])] = &[
    ("beat", &["broker", "calendar", "client", "protocol"]),
    ("beat-sql", &["beat", "protocol"]),
    (
        "bench",
        &[
            "beat",
            "broker",
            "broker-redis",
            "broker-sqlite",
            "client",
            "portfolio",
            "protocol",
            "service",
            "tasks-analytics",
            "tasks-maintenance",
            "testkit",
            "worker",
        ],
    ),
    ("bench-finance", &["calendar", "portfolio"]),
    ("broker", &["protocol"]),
    ("broker-redis", &["broker", "protocol"]),
    ("broker-sqlite", &["broker", "protocol"]),
    (
        "cli",
        &[
            "beat",
            "broker",
            "client",
            "market-data",
            "outbox",
            "portfolio",
            "protocol",
            "reports",
            "service",
            "tasks",
            "tasks-maintenance",
            "worker",
        ],
    ),
    ("calendar", &[]),
    ("celeriac-beat", &["service"]),
    ("client", &["broker", "protocol"]),
    ("conformance-worker", &["protocol", "service", "worker"]),
    ("notify", &["portfolio"]),
    ("outbox", &["broker", "protocol"]),
    ("market-data", &["calendar", "portfolio"]),
    ("portfolio", &["calendar"]),
    ("protocol", &[]),
    ("reports", &["portfolio"]),
    (
        "service",
        &[
            "beat",
            "beat-sql",
            "broker",
            "broker-redis",
            "broker-sqlite",
            "client",
            "outbox",
            "protocol",
            "worker",
        ],
    ),
    ("tasks", &["market-data", "portfolio", "protocol", "worker"]),
    (
        "tasks-analytics",
        &[
            "broker",
            "client",
            "market-data",
            "portfolio",
            "protocol",
            "reports",
            "service",
            "tasks",
            "worker",
        ],
    ),
    (
        "tasks-maintenance",
        &[
            "broker",
            "calendar",
            "client",
            "market-data",
            "notify",
            "portfolio",
            "protocol",
            "reports",
            "service",
            "tasks",
            "tasks-analytics",
            "worker",
        ],
    ),
    ("testkit", &[]),
    ("tests", &["client", "protocol", "service", "worker"]),
    ("worker", &["broker", "client", "protocol"]),
];

/// Outside crates that are the affair of few, and who they are.
const OWNERS: &[(&str, &[&str])] = &[
    ("config", &["service"]),
    ("lapin", &[]),
    ("lettre", &["notify"]),
    ("opentelemetry-otlp", &["service"]),
    ("opentelemetry_sdk", &["service"]),
    ("redis", &["broker-redis", "bench", "conformance-worker"]),
    ("rusqlite", &["broker-sqlite"]),
    ("sd-notify", &["service"]),
    (
        "sqlx",
        &["beat-sql", "bench-finance", "outbox", "portfolio"],
    ),
];

fn allowed(
    table: &[(&str, &'static [&'static str])],
    name: &str,
) -> Option<&'static [&'static str]> {
    table
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, values)| *values)
}

/// What `package` links, out of the workspace's own crates.
fn internal(package: &Package) -> impl Iterator<Item = &str> {
    package
        .linked()
        .filter(|name| allowed(ARROWS, name).is_some())
}

#[test]
fn every_crate_of_the_workspace_has_a_line_in_the_table() {
    let missing = packages()
        .into_iter()
        .filter(|package| allowed(ARROWS, &package.name).is_none())
        .map(|package| package.name)
        .collect();
    assert_none("crates without a line in ARROWS", missing);
}

#[test]
fn arrows_between_crates_run_one_way() {
    let mut violations = Vec::new();
    for package in packages() {
        let may = allowed(ARROWS, &package.name).unwrap_or_default();
        violations.extend(
            internal(&package)
                .filter(|name| !may.contains(name))
                .map(|name| format!("{} -> {name}", package.name)),
        );
    }
    assert_none("arrows that the design does not have", violations);
}

#[test]
fn nobody_links_the_benchmarks() {
    let violations = packages()
        .into_iter()
        .filter(|package| {
            package
                .dependencies
                .iter()
                .any(|found| found.name.starts_with("bench"))
        })
        .map(|package| package.name)
        .collect();
    assert_none("crates that depend on bench", violations);
}

#[test]
fn the_test_kit_is_linked_by_tests_and_benchmarks_only() {
    let violations = packages()
        .into_iter()
        .filter(|package| package.name != "bench" && package.linked().any(|name| name == "testkit"))
        .map(|package| package.name)
        .collect();
    assert_none("crates that link testkit", violations);
}

#[test]
fn each_outside_crate_stays_with_its_owner() {
    let mut violations = Vec::new();
    for package in packages() {
        for name in package.linked() {
            if allowed(OWNERS, name).is_some_and(|owners| !owners.contains(&package.name.as_str()))
            {
                violations.push(format!("{} -> {name}", package.name));
            }
        }
    }
    assert_none(
        "outside crates used by others than their owners",
        violations,
    );
}

#[test]
fn the_protocol_has_no_runtime() {
    let protocol = find("protocol");
    let violations = protocol
        .linked()
        .filter(|name| name.starts_with("tokio") || name.starts_with("async"))
        .map(str::to_owned)
        .collect();
    assert_none("the protocol links a runtime", violations);
}

#[test]
fn the_finance_domain_knows_no_task_queue() {
    let portfolio = find("portfolio");
    let violations = portfolio
        .dependencies
        .iter()
        .map(|dependency| dependency.name.as_str())
        .filter(|name| !["calendar", "testkit"].contains(name))
        .filter(|name| allowed(ARROWS, name).is_some() || ["lapin", "redis"].contains(name))
        .map(str::to_owned)
        .collect();
    assert_none("portfolio knows a task queue", violations);
}

#[test]
fn there_is_one_tls_provider() {
    // Two providers in one program make rustls panic at its first connection; ours is aws-lc-rs.
    let mut others = linked_crates();
    assert!(others.iter().any(|name| name == "aws-lc-rs"), "{others:?}");
    others.retain(|name| ["native-tls", "openssl", "openssl-sys", "ring"].contains(&name.as_str()));
    assert_none("TLS providers beside aws-lc-rs", others);
}
