//! Snapshots on both servers: what a row says, when it is rewritten, and what is left alone.

use jiff::civil::{Date, date};
use portfolio::analytics::{Envelope, SnapshotData, SnapshotRequest, Status, create_snapshots};
use portfolio::store::{Snapshot, Store};

use crate::world::{Server, World, now, on_both_servers};

const LEDGER: &str = "account,date,type,symbol,quantity,price,amount,fee,currency
Main,2013-02-26,deposit,,,,10000,,USD
Main,2013-02-26,buy,IBM,10,199.14,,1,USD
Main,2013-02-28,deposit,,,,500,,USD
";

fn request(date: Date) -> SnapshotRequest {
    SnapshotRequest {
        date: Some(date),
        clock: now,
        ..SnapshotRequest::default()
    }
}

async fn keep(store: &Store, request: &SnapshotRequest) -> Envelope<SnapshotData> {
    create_snapshots(store, request, &mut |_| {}, &|| false)
        .await
        .unwrap()
}

async fn row(store: &Store, portfolio_id: i64, date: Date) -> Snapshot {
    store.snapshot(portfolio_id, date).await.unwrap().unwrap()
}

fn counts(data: &SnapshotData) -> [usize; 4] {
    [data.created, data.updated, data.unchanged, data.failed]
}

on_both_servers!(a_row_says_what_a_portfolio_was_worth);

async fn a_row_says_what_a_portfolio_was_worth(server: Server) {
    let world = World::with_market(server).await;
    let user = world.user("a@b.c").await;
    let id = world.portfolio(user, "Main", false, LEDGER).await;
    let first = keep(&world.store, &request(date(2013, 2, 27))).await;
    assert_eq!(counts(&first.data), [1, 0, 0, 0], "{first:?}");
    let before = row(&world.store, id, date(2013, 2, 27)).await;
    assert_eq!(
        (before.inflow.to_string(), before.day_return),
        ("10000".to_owned(), None)
    );

    let second = keep(&world.store, &request(date(2013, 3, 1))).await;
    assert_eq!(second.status, Status::Success);
    let found = row(&world.store, id, date(2013, 3, 1)).await;
    let [nav, cash, invested] = [found.nav, found.cash, found.invested];
    assert_eq!(nav.to_string(), "10536.7");
    assert_eq!(cash.to_string(), "8507.6");
    assert_eq!(invested, nav - cash);
    assert_eq!(found.inflow.to_string(), "500");
    assert_eq!(second.data.nav_total["USD"], nav);
    let grown = nav.to_f64() / (before.nav.to_f64() + 500.0) - 1.0;
    let told = found.day_return.unwrap();
    assert!((told - grown).abs() < 1e-4, "{told} and {grown}");
    let [position] = found.positions.as_slice() else {
        panic!("one position")
    };
    assert_eq!(position.value_base, invested);
    assert_eq!(position.cost_base.to_string(), "1992.4");
}

on_both_servers!(only_what_rests_on_changed_input_is_rewritten);

async fn only_what_rests_on_changed_input_is_rewritten(server: Server) {
    let world = World::with_market(server).await;
    let user = world.user("a@b.c").await;
    let id = world.portfolio(user, "Main", false, LEDGER).await;
    let (old, new) = (request(date(2013, 2, 27)), request(date(2013, 3, 1)));
    for day in [&old, &new] {
        assert_eq!(counts(&keep(&world.store, day).await.data), [1, 0, 0, 0]);
        assert_eq!(counts(&keep(&world.store, day).await.data), [0, 0, 1, 0]);
    }
    let forced = SnapshotRequest {
        force: true,
        ..new.clone()
    };
    assert_eq!(
        counts(&keep(&world.store, &forced).await.data),
        [0, 1, 0, 0]
    );

    // A late price, and a row, that concern only the newer day.
    let asset = world.asset("IBM").await;
    let later = "2013-03-02T12:00:00Z".parse().unwrap();
    let corrected = "date,close\n2013-03-01,300\n";
    world.prices_at(asset, corrected, later).await;
    assert_eq!(counts(&keep(&world.store, &old).await.data), [0, 0, 1, 0]);
    assert_eq!(counts(&keep(&world.store, &new).await.data), [0, 1, 0, 0]);
    let found = row(&world.store, id, date(2013, 3, 1)).await;
    assert_eq!(found.invested.to_string(), "3000");
    let late = "account,date,type,currency,amount\nMain,2013-02-26,deposit,USD,7\n";
    world.transactions(user, late).await;
    assert_eq!(counts(&keep(&world.store, &old).await.data), [0, 1, 0, 0]);
}

#[tokio::test]
async fn one_ledger_that_is_wrong_stops_only_itself() {
    let world = World::with_market(Server::Sqlite).await;
    let user = world.user("a@b.c").await;
    world.portfolio(user, "Main", false, LEDGER).await;
    let oversold =
        "account,date,type,symbol,quantity,price,currency\nShort,2013-02-26,sell,IBM,1,200,USD\n";
    world.portfolio(user, "Short", false, oversold).await;
    let later = LEDGER
        .replace("Main", "Later")
        .replace("2013-02", "2013-03");
    world.portfolio(user, "Later", false, &later).await;
    let kept = keep(&world.store, &request(date(2013, 3, 1))).await;
    assert_eq!(kept.status, Status::Partial);
    assert_eq!(counts(&kept.data), [1, 0, 0, 1]);
    assert_eq!(kept.errors[0].code, "oversell");
    assert_eq!(kept.warnings[0].code, "nothing_yet");
}

#[tokio::test]
async fn without_a_date_it_is_the_session_that_closed_half_an_hour_ago() {
    let world = World::with_market(Server::Sqlite).await;
    let user = world.user("a@b.c").await;
    world.portfolio(user, "Main", false, LEDGER).await;
    let at = |clock| SnapshotRequest {
        clock,
        ..SnapshotRequest::default()
    };
    let early = keep(
        &world.store,
        &at(|| "2013-03-01T21:29:00Z".parse().unwrap()),
    )
    .await;
    assert_eq!(early.data.date, Some(date(2013, 2, 28)));
    let due = keep(
        &world.store,
        &at(|| "2013-03-01T21:31:00Z".parse().unwrap()),
    )
    .await;
    assert_eq!(due.data.date, Some(date(2013, 3, 1)));
    let future = request(date(2999, 1, 1));
    let refused = create_snapshots(&world.store, &future, &mut |_| {}, &|| false).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("snapshot_date = 2999-01-01"), "{text}");
}
