//! A process that is frozen for longer than its lease: others go on with its message, and it finds itself refused.

use std::time::Duration;

use broker::{Broker, Settled, Settlement, Verdict};
use testkit::Signal;
use tokio::time::{sleep, timeout};

use crate::support::{DEADLINE, consumer, given_file, id_of, new_file, open, publish, spawn};

const LEASE: Duration = Duration::from_millis(800);

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_worker_is_replaced_and_its_settlement_refused() {
    let (_folder, file) = new_file();
    let broker = open(&file).await;
    broker.publish(vec![publish("task", 10)]).await.unwrap();
    let mut frozen = spawn("freezes::holder_process", &file);
    frozen.wait_for_line(|line| line == "Done", DEADLINE).await;
    frozen.signal(Signal::SIGSTOP);

    let survivor = consumer(&broker, LEASE).await;
    let taken = timeout(DEADLINE, survivor.reserve(1))
        .await
        .unwrap()
        .unwrap()
        .remove(0);
    assert_eq!((id_of(&taken).as_str(), taken.redelivered), ("task", true));
    frozen.signal(Signal::SIGCONT);
    frozen
        .wait_for_line(|line| line == "Refused", DEADLINE)
        .await;
    let settled = survivor
        .settle(vec![Settlement::new(taken.tag, Verdict::Ack)])
        .await
        .unwrap();
    assert_eq!(settled, [Settled::Done]);
}

/// Takes one message and says again and again whether it still holds it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that other tests start"]
async fn holder_process() {
    let broker = open(&given_file()).await;
    let consumer = consumer(&broker, LEASE).await;
    let held = consumer.reserve(1).await.unwrap().remove(0);
    loop {
        let keep = Settlement::new(held.tag.clone(), Verdict::Keep);
        println!("{:?}", consumer.settle(vec![keep]).await.unwrap()[0]);
        sleep(Duration::from_millis(20)).await;
    }
}
