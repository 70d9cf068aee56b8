//! Broadcasts reach everybody who listens now; mailboxes keep their mail until it is read.

use std::time::Duration;

use protocol::Message;
use tokio::time::timeout;

use super::fixture::{Fixture, QUIET, borrowed, ids, message, within};
use super::runner::cases;
use crate::{ExchangeKind, Publish, Route, Source, Subscription};

cases![
    broadcast_reaches_everybody,
    nothing_is_stored_for_late_listeners,
    exchanges_are_apart,
    binding_keys_choose,
    published_to_a_fanout_exchange_is_a_broadcast,
    broadcasts_keep_their_order,
    dropped_listener_leaves_the_others_alone,
    replies_come_back_through_a_mailbox,
    mailbox_keeps_its_mail,
];

impl Fixture {
    async fn listen(&self, exchange: &str, binding_key: &str) -> Subscription {
        let source = Source::Broadcast {
            exchange: exchange.to_owned(),
            binding_key: binding_key.to_owned(),
        };
        self.broker()
            .subscribe(source)
            .await
            .expect("listening begins")
    }

    async fn mailbox(&self, exchange: &str, key: &str) -> Subscription {
        let source = Source::Mailbox {
            exchange: exchange.to_owned(),
            kind: ExchangeKind::Direct,
            routing_key: key.to_owned(),
            queue: format!("{key}.{exchange}"),
            expires: Duration::from_secs(10),
        };
        self.broker()
            .subscribe(source)
            .await
            .expect("listening begins")
    }

    async fn broadcast(&self, exchange: &str, routing_key: &str, id: &str) {
        self.broker()
            .broadcast(exchange, routing_key, message(id))
            .await
            .expect("broadcasting works");
    }

    async fn reply(&self, exchange: &str, key: &str, id: &str) {
        let (name, routing_key) = (exchange.to_owned(), key.to_owned());
        let route = Route::Exchange {
            name,
            kind: ExchangeKind::Direct,
            routing_key,
        };
        self.publish_all(vec![Publish {
            message: message(id),
            route,
        }])
        .await;
    }
}

async fn next(subscription: &mut Subscription) -> String {
    let message = within("a message", subscription.next())
        .await
        .expect("the subscription goes on");
    message.headers.id.expect("conformance messages have an id")
}

async fn assert_silent(subscription: &mut Subscription) {
    let unexpected: Result<Option<Message>, _> = timeout(QUIET, subscription.next()).await;
    assert!(unexpected.is_err(), "{unexpected:?}");
}

async fn broadcast_reaches_everybody(fixture: Fixture) {
    let mut first = fixture.listen("celery.pidbox", "").await;
    let mut second = fixture.listen("celery.pidbox", "").await;
    fixture.broadcast("celery.pidbox", "", "a").await;
    assert_eq!(
        (next(&mut first).await, next(&mut second).await),
        ("a".to_owned(), "a".to_owned())
    );
}

async fn nothing_is_stored_for_late_listeners(fixture: Fixture) {
    fixture.broadcast("celery.pidbox", "", "early").await;
    let mut late = fixture.listen("celery.pidbox", "").await;
    fixture.broadcast("celery.pidbox", "", "a").await;
    assert_eq!(next(&mut late).await, "a");
    assert_silent(&mut late).await;
}

async fn exchanges_are_apart(fixture: Fixture) {
    let mut pidbox = fixture.listen("celery.pidbox", "").await;
    let mut events = fixture.listen("celeryev", "#").await;
    fixture.broadcast("celeryev", "task.sent", "event").await;
    fixture.broadcast("celery.pidbox", "", "request").await;
    assert_eq!(next(&mut pidbox).await, "request");
    assert_eq!(next(&mut events).await, "event");
    assert_silent(&mut events).await;
}

async fn binding_keys_choose(fixture: Fixture) {
    let mut all = fixture.listen("celeryev", "#").await;
    let mut workers = fixture.listen("celeryev", "worker.#").await;
    for key in ["worker.heartbeat", "task.sent", "worker.online"] {
        fixture.broadcast("celeryev", key, key).await;
    }
    for key in ["worker.heartbeat", "task.sent", "worker.online"] {
        assert_eq!(next(&mut all).await, key);
    }
    for key in ["worker.heartbeat", "worker.online"] {
        assert_eq!(next(&mut workers).await, key);
    }
    assert_silent(&mut workers).await;
}

async fn published_to_a_fanout_exchange_is_a_broadcast(fixture: Fixture) {
    let mut events = fixture.listen("celeryev", "task.#").await;
    let (name, routing_key) = ("celeryev".to_owned(), "task.sent".to_owned());
    let route = Route::Exchange {
        name,
        kind: ExchangeKind::Fanout,
        routing_key,
    };
    fixture
        .publish_all(vec![Publish {
            message: message("a"),
            route,
        }])
        .await;
    assert_eq!(next(&mut events).await, "a");
}

async fn broadcasts_keep_their_order(fixture: Fixture) {
    let mut events = fixture.listen("celeryev", "#").await;
    let sent = ids("e", 200);
    for id in &sent {
        fixture.broadcast("celeryev", "task.sent", id).await;
    }
    for id in &sent {
        assert_eq!(next(&mut events).await, *id);
    }
}

async fn dropped_listener_leaves_the_others_alone(fixture: Fixture) {
    let first = fixture.listen("celeryev", "#").await;
    let mut second = fixture.listen("celeryev", "#").await;
    drop(first);
    for id in ["a", "b"] {
        fixture.broadcast("celeryev", "task.sent", id).await;
        assert_eq!(next(&mut second).await, id);
    }
}

async fn replies_come_back_through_a_mailbox(fixture: Fixture) {
    let mut mine = fixture.mailbox("reply.celery.pidbox", "caller-1").await;
    let mut others = fixture.mailbox("reply.celery.pidbox", "caller-2").await;
    for id in ["a", "b"] {
        fixture.reply("reply.celery.pidbox", "caller-1", id).await;
    }
    assert_eq!(
        (next(&mut mine).await, next(&mut mine).await),
        ("a".to_owned(), "b".to_owned())
    );
    assert_silent(&mut others).await;
    drop(others);
    fixture.reply("reply.celery.pidbox", "caller-1", "c").await;
    assert_eq!(next(&mut mine).await, "c");
}

async fn mailbox_keeps_its_mail(fixture: Fixture) {
    let mut mailbox = fixture.mailbox("reply.celery.pidbox", "caller").await;
    let sent = ids("r", 300);
    for id in borrowed(&sent) {
        fixture.reply("reply.celery.pidbox", "caller", id).await;
    }
    for id in &sent {
        assert_eq!(next(&mut mailbox).await, *id);
    }
}
