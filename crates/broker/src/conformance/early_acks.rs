//! Celery's early acknowledgement: the message leaves at once, the run leaves a record until it ends.

use protocol::State;

use super::fixture::{Fixture, Member, id, meta};
use super::runner::cases;
use crate::{Delivery, Notice, Settled, Settlement, Verdict};

cases![
    message_leaves_at_once,
    run_can_report_and_end,
    death_stores_and_reports_the_loss,
    ended_run_is_not_lost,
    loss_does_not_overwrite_a_final_state,
];

/// Acknowledges early, ready to be reported as lost.
async fn start(member: &Member, delivery: &Delivery) {
    let lost = Box::new(meta(&id(delivery), State::Failure, "worker lost"));
    member.give(delivery, Verdict::AckEarly { lost }).await;
}

async fn lost_task(member: &Member) -> String {
    let pick = |notice| match notice {
        Notice::Lost { meta } => Some(meta.task_id),
        _ => None,
    };
    member.notice("the loss to be reported", pick).await
}

async fn message_leaves_at_once(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let delivery = member.take_one().await;
    start(&member, &delivery).await;
    assert_eq!(member.close().await, 0, "there is no message to give back");
    assert_eq!(fixture.ready("q").await, 0);
}

async fn run_can_report_and_end(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let delivery = member.take_one().await;
    start(&member, &delivery).await;
    for (verdict, status) in [
        (Verdict::Keep, State::Started),
        (Verdict::Ack, State::Success),
    ] {
        let store = Some(meta("a", status.clone(), 1));
        let settlement = Settlement {
            store,
            ..Settlement::new(delivery.tag.clone(), verdict)
        };
        assert_eq!(member.settle_one(settlement).await, Settled::Done);
        assert_eq!(fixture.stored("a").await, Some(status));
    }
    assert_eq!(
        member.settle(&delivery.tag, Verdict::Ack).await,
        Settled::Refused,
        "it ends once"
    );
}

async fn death_stores_and_reports_the_loss(fixture: Fixture) {
    let survivor = fixture.consumer(&["other"]).await;
    let dying = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let delivery = dying.take_one().await;
    start(&dying, &delivery).await;
    drop(dying);
    assert_eq!(lost_task(&survivor).await, "a");
    assert_eq!(fixture.stored("a").await, Some(State::Failure));
    let settled = survivor.settle(&delivery.tag, Verdict::Ack).await;
    assert_eq!(settled, Settled::Refused, "a run that was lost cannot end");
    assert_eq!(
        fixture.ready("q").await,
        0,
        "its message does not come back"
    );
}

/// Both runs belong to one incarnation, so the second's report shows that the first was looked at too.
async fn ended_run_is_not_lost(fixture: Fixture) {
    let survivor = fixture.consumer(&["other"]).await;
    let dying = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["ended", "cut"]).await;
    let held = dying.take(2).await;
    for delivery in &held {
        start(&dying, delivery).await;
    }
    dying.ack(&held[0]).await;
    drop(dying);
    assert_eq!(lost_task(&survivor).await, "cut");
    assert_eq!(fixture.stored("cut").await, Some(State::Failure));
    assert_eq!(fixture.stored("ended").await, None);
}

async fn loss_does_not_overwrite_a_final_state(fixture: Fixture) {
    let survivor = fixture.consumer(&["other"]).await;
    let dying = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b"]).await;
    for delivery in &dying.take(2).await {
        start(&dying, delivery).await;
    }
    let metas = vec![
        meta("a", State::Success, 1),
        meta("b", State::Revoked, "revoked"),
    ];
    fixture
        .results()
        .store(metas)
        .await
        .expect("metas are stored");
    let marker = dying.consumer.incarnation().to_owned();
    drop(dying);
    let fixture = &fixture;
    super::fixture::eventually("the dead incarnation to be gone", || {
        let marker = &marker;
        async move {
            let workers = fixture.admin().workers().await.expect("workers are listed");
            workers.iter().all(|worker| worker.incarnation != *marker)
        }
    })
    .await;
    survivor.assert_quiet().await;
    assert_eq!(fixture.stored("a").await, Some(State::Success));
    assert_eq!(fixture.stored("b").await, Some(State::Revoked));
}
