//! What a refresh leaves as it is: what it was made from has not changed.

use jiff::{SignedDuration, Timestamp};

use super::*;

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
