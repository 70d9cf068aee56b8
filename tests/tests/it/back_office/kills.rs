//! `kill -9` in the middle of every task: what the database holds in the end is what undisturbed runs leave.

use testkit::wait_until;

use super::calls::{CALLS, Call, Expected};
use super::system::{PATIENCE, System};

/// One kill amid so many calls.
const KILLS: usize = 6;

/// The calls whose effects last; the others leave nothing that could be compared.
fn calls() -> Vec<Call> {
    let lasting = CALLS
        .iter()
        .filter(|call| !matches!(call.expected, Expected::Failure(_)));
    lasting.copied().flat_map(|call| call.both_ways()).collect()
}

/// The tasks that bring prices and facts. What they bring is the same each time, and is there before any report shows it.
const MARKET: [&str; 4] = [
    "fetch_asset_info",
    "fetch_market_data",
    "update_portfolio_prices",
    "app.tasks.reconciliation.sync_market_data",
];

fn prepare(system: &System, calls: &[Call]) {
    let market: Vec<Call> = calls
        .iter()
        .filter(|call| MARKET.contains(&call.task))
        .copied()
        .collect();
    for answer in system.call_from_python("market", &market) {
        assert_eq!(answer["state"], "SUCCESS", "{answer:?}");
    }
}

/// Tasks run side by side and see each other's effects in any order; after these three the order does not matter.
fn settle(system: &System) {
    let everything = [
        (
            "finflow.core.tasks.refresh_portfolio_analytics",
            r#"{"full": true}"#,
        ),
        (
            "create_portfolio_snapshot",
            r#"{"snapshot_date": "2013-03-01"}"#,
        ),
        ("dashboard.tasks.refresh_dashboard_cache", "{}"),
    ];
    for (task, kwargs) in everything {
        let call = Call {
            task,
            args: "[]",
            kwargs,
            expected: Expected::Envelope,
        };
        let answer = system.call_from_python("settle", &[call]);
        assert_eq!(answer[0]["state"], "SUCCESS", "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_in_the_middle_of_every_task_leave_what_undisturbed_runs_leave() {
    let calls = calls();
    let mut undisturbed = System::start();
    undisturbed.start_worker().await;
    prepare(&undisturbed, &calls);
    undisturbed.call_from_python("all", &calls);
    settle(&undisturbed);

    let mut killed = System::start();
    killed.start_worker().await;
    prepare(&killed, &calls);
    killed.kill_worker();
    killed.send_from_python("all", &calls);
    for kill in 0..KILLS {
        killed.start_worker().await;
        let left = calls.len() * (KILLS - kill - 1) / KILLS;
        // Some of the calls are under way whenever fewer are left than before.
        wait_until(PATIENCE, async || killed.messages() <= left.max(1)).await;
        killed.kill_worker();
    }
    killed.start_worker().await;
    wait_until(PATIENCE, async || killed.messages() == 0).await;
    settle(&killed);

    let (expected, found) = (undisturbed.state(), killed.state());
    for table in expected.as_object().unwrap().keys() {
        assert_eq!(found[table], expected[table], "{table}");
    }
}
