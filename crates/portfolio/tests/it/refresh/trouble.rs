//! Refreshes that fail, in part or as a whole, meet another one, or are stopped.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use portfolio::Error;
use portfolio::progress::Progress;
use portfolio::store::LockAttempt;

use super::*;

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
