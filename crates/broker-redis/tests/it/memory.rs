//! Short memory on the server: publishing says so, what is there stays, and settling goes on.

use broker::{Admin, Broker, ErrorKind, Settled, Settlement, Verdict};
use protocol::{State, TaskMeta};
use testkit::RedisServer;

use crate::support::{consumer, id, open, take, to_queue};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_refuses_new_messages_and_loses_none() {
    let server = RedisServer::builder().maxmemory(8 << 20).start();
    let broker = open(&server).await;
    let consumer = consumer(&broker, &["q"]).await;
    let mut published = 0;
    let error = loop {
        let mut publish = to_queue("q", &published.to_string());
        publish.message.body = vec![b'x'; 50_000].into();
        match broker.publish(vec![publish]).await {
            Ok(()) => published += 1,
            Err(error) => break error,
        }
        assert!(published < 10_000, "the server is never full");
    };
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    assert!(
        error.is_transient() && error.to_string().contains("maxmemory"),
        "{error}"
    );
    assert_eq!(
        broker.depth(&["q".to_owned()]).await.unwrap()[0].ready(),
        published
    );

    let mut done = 0;
    while done < published {
        let taken = take(&*consumer, 1).await;
        let settlement = |delivery: &broker::Delivery| Settlement {
            store: Some(TaskMeta::new(id(delivery), State::Success, 1_i64.into())),
            ..Settlement::new(delivery.tag.clone(), Verdict::Ack)
        };
        let settled = consumer
            .settle(taken.iter().map(settlement).collect())
            .await
            .unwrap();
        assert_eq!(settled, [Settled::Done]);
        done += 1;
    }
    assert_eq!(server.cli(&["HLEN", "unacked"]), "0");
}
