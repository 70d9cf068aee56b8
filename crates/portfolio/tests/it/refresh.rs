//! Refreshing through a real store: results, what is skipped, what fails alone, locks and stops.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use portfolio::Error;
use portfolio::analytics::{Envelope, RefreshData, RefreshRequest, Status, refresh, summary};
use portfolio::progress::Progress;
use portfolio::store::{LockAttempt, Store};
use serde_json::Value;

use crate::world::{Server, World, now, on_both_servers};

/// A ledger whose figures the specification quotes.
const GROWTH: &str = "\
account,date,type,symbol,quantity,price,amount,fee,tax,currency
Growth,2000-03-01,deposit,,,,100000,,,USD
Growth,2000-03-02,buy,AAPL,200,122,,19.95,,USD
Growth,2000-03-02,buy,IBM,500,103.12,,19.95,,USD
Growth,2002-10-09,deposit,,,,25000,,,USD
Growth,2002-10-10,buy,AAPL,1500,14.11,,19.95,,USD
Growth,2004-08-20,buy,GOOG,60,108.31,,19.95,,USD
Growth,2007-10-09,sell,AAPL,800,167.86,,19.95,2.06,USD
Growth,2007-10-10,withdrawal,,,,90000,,,USD
Growth,2009-03-09,buy,IBM,300,83.48,,19.95,,USD
Growth,2012-09-19,sell,AAPL,500,702.1,,9.95,7.86,USD
";

const OVERSOLD: &str = "\
account,date,type,symbol,quantity,price,amount,currency
Broken,2010-03-01,deposit,,,,1000,USD
Broken,2010-03-02,sell,IBM,1,127.4,,USD
";

const CASH: &str = "account,date,type,amount,currency\nCash,2010-03-01,deposit,500,USD\n";

fn request() -> RefreshRequest {
    RefreshRequest {
        clock: now,
        ..RefreshRequest::new("task-1")
    }
}

/// A worker moves its tasks between threads.
fn movable<F: Future + Send>(future: F) -> F {
    future
}

async fn run(store: &Store, request: &RefreshRequest) -> portfolio::Result<Envelope<RefreshData>> {
    movable(refresh(store, request, &mut |_| {}, &|| false)).await
}

/// Growth and cash of one user.
async fn world(server: Server) -> (World, i64, i64, i64) {
    let world = World::with_market(server).await;
    let user = world.user("ada@example.org").await;
    let growth = world.portfolio(user, "Growth", true, GROWTH).await;
    let cash = world.portfolio(user, "Cash", false, CASH).await;
    (world, user, growth, cash)
}

on_both_servers!(figures_are_those_of_the_specification_and_stored);

async fn figures_are_those_of_the_specification_and_stored(server: Server) {
    let (world, user, growth, _) = world(server).await;
    let result = run(&world.store, &request()).await.unwrap();
    let data = &result.data;
    assert_eq!(
        (
            result.status,
            data.portfolios,
            data.users,
            data.investments,
            data.transactions
        ),
        (Status::Success, 2, 1, 3, 11)
    );
    assert_eq!(data.totals["USD"].nav.to_string(), "1713385.23");
    assert_eq!(data.totals["USD"].unrealised.to_string(), "1186057.825");
    assert_eq!(
        (data.top[0].portfolio_id, data.top[0].symbol.as_str()),
        (growth, "AAPL")
    );
    assert!((data.top[0].contribution - 12.26813).abs() < 1e-5);
    assert!(
        data.bottom
            .iter()
            .all(|entry| entry.contribution < 0.0 && entry.portfolio_id == growth)
    );
    assert_eq!(data.cache_keys, 8);
    assert_eq!(result.as_of, Some("2013-03-01".parse().unwrap()));

    let rows = summary(&world.store, result.as_of).await.unwrap();
    assert_eq!(rows.len(), 16);
    let max = rows
        .iter()
        .find(|row| row.portfolio_id == growth && row.period == "max")
        .unwrap();
    assert_eq!(max.nav.unwrap().to_string(), "1712885.23");
    let user_summary: Value = serde_json::from_str(
        &world
            .store
            .cached(&format!("user:{user}:summary"))
            .await
            .unwrap()
            .unwrap(),
    )
    .unwrap();
    assert_eq!(user_summary["nav"], "1713385.23");
    let overview: Value = serde_json::from_str(
        &world
            .store
            .figures("global", 0, "max")
            .await
            .unwrap()
            .unwrap(),
    )
    .unwrap();
    let shares: f64 = overview["allocation"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_f64)
        .sum();
    assert!((shares - 1.0).abs() < 1e-9);
}

on_both_servers!(the_envelope_has_the_documented_fields);

async fn the_envelope_has_the_documented_fields(server: Server) {
    let (world, ..) = world(server).await;
    let result = serde_json::to_value(run(&world.store, &request()).await.unwrap()).unwrap();
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        sorted(keys(&result)),
        [
            "as_of",
            "data",
            "duration_ms",
            "errors",
            "status",
            "task",
            "warnings"
        ]
    );
    let data = [
        "bottom",
        "cache_keys",
        "investments",
        "portfolios",
        "portfolios_failed",
        "portfolios_skipped",
        "top",
        "totals",
        "transactions",
        "users",
    ];
    assert_eq!(sorted(keys(&result["data"])), data);
    assert_eq!(result["status"], "success");
    assert_eq!(
        result["task"],
        "finflow.core.tasks.refresh_portfolio_analytics"
    );
    assert_eq!(
        sorted(keys(&result["data"]["totals"]["USD"])),
        ["nav", "unrealised"]
    );
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

on_both_servers!(what_has_not_changed_is_skipped_and_still_counted);

async fn what_has_not_changed_is_skipped_and_still_counted(server: Server) {
    let (world, user, growth, cash) = world(server).await;
    let first = run(&world.store, &request()).await.unwrap();
    let second = run(&world.store, &request()).await.unwrap();
    assert_eq!(
        (second.data.portfolios_skipped, second.status),
        (2, Status::Success)
    );
    let comparable = |result: &Envelope<RefreshData>| RefreshData {
        portfolios_skipped: 0,
        ..result.data.clone()
    };
    assert_eq!(comparable(&first), comparable(&second));

    let full = run(
        &world.store,
        &RefreshRequest {
            full: true,
            ..request()
        },
    )
    .await
    .unwrap();
    assert_eq!(full.data.portfolios_skipped, 0);
    world
        .transactions(
            user,
            "account,date,type,amount,currency\nCash,2013-02-28,deposit,1,USD\n",
        )
        .await;
    let after_row = run(&world.store, &request()).await.unwrap();
    assert_eq!(after_row.data.portfolios_skipped, 1);
    assert_eq!(after_row.data.totals["USD"].nav.to_string(), "1713386.23");

    let aapl = world.asset("AAPL").await;
    let later = now() + SignedDuration::from_secs(1);
    let report = world
        .prices_at(aapl, "date,close\n2013-03-01,431\n", later)
        .await;
    assert_eq!(report.written, 1);
    let after_price = run(&world.store, &request()).await.unwrap();
    assert_eq!(after_price.data.portfolios_skipped, 1);
    assert_ne!(
        after_price.data.totals["USD"].nav,
        after_row.data.totals["USD"].nav
    );

    let only_cash = RefreshRequest {
        portfolio_ids: Some(vec![cash, cash]),
        ..request()
    };
    assert_eq!(
        run(&world.store, &only_cash).await.unwrap().data.portfolios,
        1
    );
    let earlier = RefreshRequest {
        as_of: Some("2009-12-31".parse().unwrap()),
        portfolio_ids: Some(vec![growth]),
        ..request()
    };
    assert_eq!(
        run(&world.store, &earlier).await.unwrap().data.totals["USD"]
            .nav
            .to_string(),
        "820253.44"
    );
}

on_both_servers!(corrections_of_one_moment_are_noticed);

async fn corrections_of_one_moment_are_noticed(server: Server) {
    let (world, ..) = world(server).await;
    let aapl = world.asset("AAPL").await;
    let mut values = Vec::new();
    for close in ["431", "432"] {
        let text = format!("date,close\n2013-03-01,{close}\n");
        world.prices_at(aapl, &text, now()).await;
        let result = run(&world.store, &request()).await.unwrap();
        values.push(result.data.totals["USD"].nav);
    }
    assert_ne!(values[0], values[1]);
}

on_both_servers!(results_that_were_removed_are_made_again);

async fn results_that_were_removed_are_made_again(server: Server) {
    let (world, _, growth, _) = world(server).await;
    let key = format!("portfolio:{growth}:summary");
    let (store, request) = (&world.store, request());
    run(store, &request).await.unwrap();
    let kept = run(store, &request).await.unwrap();
    assert_eq!(kept.data.portfolios_skipped, 2);
    let tomorrow = now() + SignedDuration::from_hours(24);
    assert!(store.delete_expired_cache(tomorrow, false).await.unwrap() > 0);
    assert_eq!(store.cached(&key).await.unwrap(), None);
    let again = run(store, &request).await.unwrap();
    assert_eq!(again.data.portfolios_skipped, 0);
    assert!(store.cached(&key).await.unwrap().is_some());
}

on_both_servers!(what_nothing_has_changed_for_lives_on);

async fn what_nothing_has_changed_for_lives_on(server: Server) {
    let (world, _, growth, _) = world(server).await;
    let key = format!("portfolio:{growth}:summary");
    run(&world.store, &request()).await.unwrap();
    let later: fn() -> Timestamp = || now() + SignedDuration::from_mins(60);
    let request = RefreshRequest {
        clock: later,
        ..request()
    };
    let result = run(&world.store, &request).await.unwrap();
    assert_eq!(result.data.portfolios_skipped, 2);
    let after = now() + SignedDuration::from_mins(120);
    world
        .store
        .delete_expired_cache(after, false)
        .await
        .unwrap();
    assert!(world.store.cached(&key).await.unwrap().is_some());
}

on_both_servers!(one_failing_portfolio_stops_itself_only);

async fn one_failing_portfolio_stops_itself_only(server: Server) {
    let (world, user, ..) = world(server).await;
    let broken = world.portfolio(user, "Broken", false, OVERSOLD).await;
    let result = run(&world.store, &request()).await.unwrap();
    assert_eq!(
        (result.status, result.data.portfolios_failed),
        (Status::Partial, 1)
    );
    let error = &result.errors[0];
    assert_eq!(
        (error.scope.as_str(), error.id.clone(), error.code.as_str()),
        ("portfolio", Some(broken.into()), "oversell")
    );
    assert!(
        error.message.contains("sells 1 IBM, 0 held"),
        "{}",
        error.message
    );
    let alone = RefreshRequest {
        portfolio_ids: Some(vec![broken]),
        ..request()
    };
    assert!(matches!(
        run(&world.store, &alone).await.unwrap_err(),
        Error::EveryPortfolioFailed { count: 1, .. }
    ));
}

on_both_servers!(a_second_run_of_one_scope_is_skipped);

async fn a_second_run_of_one_scope_is_skipped(server: Server) {
    let (world, ..) = world(server).await;
    let lease = SignedDuration::from_secs(60);
    let held = world
        .store
        .lock("analytics:all", "task-0", now(), lease)
        .await
        .unwrap();
    assert!(matches!(held, LockAttempt::Acquired(_)));
    let result = run(&world.store, &request()).await.unwrap();
    assert_eq!(result.status, Status::Skipped);
    assert_eq!(result.data.reason.as_deref(), Some("already_running"));
    assert_eq!(result.data.holder.as_deref(), Some("task-0"));
    assert!(world.store.summary(None).await.unwrap().is_empty());

    let later: fn() -> Timestamp = || now() + SignedDuration::from_secs(61);
    let result = run(
        &world.store,
        &RefreshRequest {
            clock: later,
            ..request()
        },
    )
    .await
    .unwrap();
    assert_eq!(result.status, Status::Success);
    let free = world
        .store
        .lock("analytics:all", "task-2", now(), lease)
        .await
        .unwrap();
    assert!(
        matches!(free, LockAttempt::Acquired(_)),
        "the lock is given back"
    );
}

on_both_servers!(a_stop_saves_what_is_done);

async fn a_stop_saves_what_is_done(server: Server) {
    let (world, user, ..) = world(server).await;
    for number in 0..260 {
        let name = format!("P{number}");
        world
            .portfolio(
                user,
                &name,
                false,
                &format!("account,date,type,amount,currency\n{name},2010-03-01,deposit,5,USD\n"),
            )
            .await;
    }
    let asked = AtomicUsize::new(0);
    let stop = || asked.fetch_add(1, Ordering::SeqCst) >= 1;
    let mut seen = Vec::new();
    let result = refresh(
        &world.store,
        &request(),
        &mut |progress: Progress| seen.push(progress),
        &stop,
    )
    .await
    .unwrap();
    assert_eq!(
        (result.status, result.errors[0].code.as_str()),
        (Status::Partial, "soft_time_limit")
    );
    assert_eq!(world.store.summary(None).await.unwrap().len(), 256 * 8);
    assert_eq!(seen.first().unwrap().percent(), 0);
    assert_eq!(seen.last().unwrap().percent(), 100);
    let rest = run(&world.store, &request()).await.unwrap();
    assert_eq!(
        (rest.status, rest.data.portfolios_skipped),
        (Status::Success, 256)
    );
}

on_both_servers!(wrong_requests_are_refused_before_any_work);

async fn wrong_requests_are_refused_before_any_work(server: Server) {
    let (world, user, growth, _) = world(server).await;
    let stranger = world.user("eve@example.org").await;
    let foreign = RefreshRequest {
        user_id: Some(stranger),
        portfolio_ids: Some(vec![growth]),
        ..request()
    };
    assert!(matches!(
        run(&world.store, &foreign).await.unwrap_err(),
        Error::Forbidden { .. }
    ));
    let missing = RefreshRequest {
        portfolio_ids: Some(vec![999]),
        ..request()
    };
    assert!(matches!(
        run(&world.store, &missing).await.unwrap_err(),
        Error::NotFound { .. }
    ));
    let nobody = RefreshRequest {
        user_id: Some(999),
        ..request()
    };
    assert!(matches!(
        run(&world.store, &nobody).await.unwrap_err(),
        Error::NotFound { .. }
    ));
    let future = RefreshRequest {
        as_of: Some("2013-03-05".parse().unwrap()),
        ..request()
    };
    let error = run(&world.store, &future).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "as_of = 2013-03-05: must not be in the future"
    );
    let zero = RefreshRequest {
        user_id: Some(0),
        ..request()
    };
    assert!(matches!(
        run(&world.store, &zero).await.unwrap_err(),
        Error::InvalidArgument { .. }
    ));
    let own = run(
        &world.store,
        &RefreshRequest {
            user_id: Some(user),
            ..request()
        },
    )
    .await
    .unwrap();
    assert_eq!(own.data.portfolios, 2);
    let none = run(
        &world.store,
        &RefreshRequest {
            user_id: Some(stranger),
            ..request()
        },
    )
    .await
    .unwrap();
    assert_eq!(none.status, Status::Empty);
}

on_both_servers!(a_portfolio_without_rows_has_empty_results);

async fn a_portfolio_without_rows_has_empty_results(server: Server) {
    let world = World::empty(server).await;
    let user = world.user("ada@example.org").await;
    world
        .portfolio(user, "New", false, "account,date,type,amount,currency\n")
        .await;
    let result = run(&world.store, &request()).await.unwrap();
    assert_eq!(
        (result.status, result.data.totals["USD"].nav.is_zero()),
        (Status::Success, true)
    );
    assert_eq!(
        run(&world.store, &request())
            .await
            .unwrap()
            .data
            .portfolios_skipped,
        1
    );
    let again = world.open_again().await;
    assert_eq!(again.summary(None).await.unwrap().len(), 8);
}
