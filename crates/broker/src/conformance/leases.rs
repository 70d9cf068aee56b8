//! Who lives keeps what it holds, however long; who is dead gives it back soon.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::fixture::{Fixture, Member, borrowed, eventually, id, ids};
use super::runner::cases;
use crate::{ConsumerParams, Notice, Settled, Verdict};

cases![
    dead_incarnation_gives_back_everything_in_order,
    reclaiming_is_reported,
    reclaim_comes_within_two_leases,
    idle_survivor_reclaims_without_reserving,
    living_incarnation_is_never_reclaimed,
    frozen_incarnation_is_fenced_and_goes_on,
    lease_is_listed_until_the_close,
    one_death_leaves_the_others_alone,
];

/// Room for a machine that is busy with other things; a broker that waits for `visibility_timeout` is far beyond it.
const SLACK: Duration = Duration::from_secs(10);

async fn dead_incarnation_gives_back_everything_in_order(fixture: Fixture) {
    let dying = fixture.consumer(&["q"]).await;
    let sent = ids("m", 20);
    fixture.publish("q", &borrowed(&sent)).await;
    assert_eq!(dying.take(12).await.len(), 12);
    drop(dying);
    let survivor = fixture.consumer(&["q"]).await;
    let reclaimed = reclaimed_from_anybody(&survivor).await;
    assert_eq!(reclaimed, 12);
    let taken = survivor.take(20).await;
    assert_eq!(taken.iter().map(id).collect::<Vec<_>>(), sent);
    assert!(taken[..12].iter().all(|delivery| delivery.redelivered));
    assert!(taken[12..].iter().all(|delivery| !delivery.redelivered));
    let deaths: Vec<u32> = taken.iter().map(|delivery| delivery.deaths).collect();
    assert_eq!(deaths, [vec![1; 12], vec![0; 8]].concat());
}

async fn reclaimed_from_anybody(member: &Member) -> usize {
    let pick = |notice| match notice {
        Notice::Reclaimed { messages, .. } => Some(messages),
        _ => None,
    };
    member.notice("messages to be reclaimed", pick).await
}

async fn reclaiming_is_reported(fixture: Fixture) {
    let survivor = fixture.consumer(&["other"]).await;
    let dying = fixture.consumer(&["q"]).await;
    let name = dying.consumer.incarnation().to_owned();
    assert_ne!(
        name,
        survivor.consumer.incarnation(),
        "every incarnation has a name of its own"
    );
    fixture.publish("q", &["a", "b"]).await;
    assert_eq!(dying.take(2).await.len(), 2);
    drop(dying);
    let pick = |notice| match notice {
        Notice::Reclaimed { from, messages } => Some((from, messages)),
        _ => None,
    };
    assert_eq!(
        survivor.notice("messages to be reclaimed", pick).await,
        (name, 2)
    );
}

async fn reclaim_comes_within_two_leases(fixture: Fixture) {
    let survivor = fixture.consumer(&["q"]).await;
    let dying = fixture.consumer(&["mine"]).await;
    fixture.publish("mine", &["a"]).await;
    dying.take_one().await;
    survivor
        .consumer
        .set_queues(vec!["mine".to_owned()])
        .await
        .expect("queues change");
    drop(dying);
    let death = Instant::now();
    assert_eq!(survivor.take_ids(1).await, ["a"]);
    assert!(
        death.elapsed() < 2 * fixture.lease + SLACK,
        "reclaimed after {:?}",
        death.elapsed()
    );
}

/// A worker whose slots are all taken does not reserve, but it sweeps.
async fn idle_survivor_reclaims_without_reserving(fixture: Fixture) {
    let _survivor = fixture.consumer(&["other"]).await;
    let dying = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    dying.take_one().await;
    drop(dying);
    let fixture = &fixture;
    eventually("the orphan to be ready", || async move {
        fixture.ready("q").await == 1
    })
    .await;
}

/// Longer than several leases, and longer than `visibility_timeout`.
async fn living_incarnation_is_never_reclaimed(fixture: Fixture) {
    let brief = |params| ConsumerParams {
        visibility_timeout: Duration::from_secs(1),
        ..params
    };
    let (params, notices) = fixture.params(&["q"]);
    let holder = fixture.open(brief(params), notices).await;
    let (params, notices) = fixture.params(&["q"]);
    let other = fixture.open(brief(params), notices).await;
    fixture.publish("q", &["a", "b", "c"]).await;
    let held = holder.take(3).await;
    let enough = Duration::from_millis(1_500).max(4 * fixture.lease);
    tokio::select! {
        taken = other.consumer.reserve(1) => panic!("what a living incarnation holds was given away: {taken:?}"),
        () = sleep(enough) => {}
    }
    for delivery in &held {
        holder.ack(delivery).await;
    }
    assert_eq!(fixture.ready("q").await, 0);
}

async fn frozen_incarnation_is_fenced_and_goes_on(fixture: Fixture) {
    let frozen = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let stale = frozen.take_one().await;
    frozen
        .consumer
        .set_queues(vec!["later".to_owned()])
        .await
        .expect("queues change");
    let survivor = fixture.consumer(&["q"]).await;
    fixture
        .instance
        .expire_lease(frozen.consumer.incarnation())
        .await;
    let current = survivor.take_one().await;
    assert_eq!((id(&current).as_str(), current.redelivered), ("a", true));
    assert_eq!(
        frozen.settle(&stale.tag, Verdict::Ack).await,
        Settled::Refused,
        "a stale ack is refused"
    );
    survivor.ack(&current).await;
    frozen
        .notice("the fence to be reported", |notice| {
            matches!(notice, Notice::Fenced).then_some(())
        })
        .await;
    fixture.publish("later", &["b"]).await;
    let again = frozen.take_one().await;
    assert_eq!(id(&again), "b");
    frozen.ack(&again).await;
}

async fn leases_listed(fixture: &Fixture) -> Vec<String> {
    let workers = fixture.admin().workers().await.expect("workers are listed");
    assert!(
        workers
            .iter()
            .all(|worker| worker.node == "conformance@host")
    );
    workers
        .into_iter()
        .map(|worker| worker.incarnation)
        .collect()
}

async fn lease_is_listed_until_the_close(fixture: Fixture) {
    assert!(leases_listed(&fixture).await.is_empty());
    let member = fixture.consumer(&["q"]).await;
    assert_eq!(
        leases_listed(&fixture).await,
        [member.consumer.incarnation()]
    );
    member.close().await;
    assert!(leases_listed(&fixture).await.is_empty());
}

async fn one_death_leaves_the_others_alone(fixture: Fixture) {
    let living = fixture.consumer(&["q"]).await;
    let dying = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["kept", "orphan"]).await;
    let kept = living.take_one().await;
    let orphan = dying.take_one().await;
    drop(dying);
    let again = living.take_one().await;
    assert_eq!(id(&again), id(&orphan));
    living.ack(&again).await;
    living.ack(&kept).await;
    living.assert_quiet().await;
}
