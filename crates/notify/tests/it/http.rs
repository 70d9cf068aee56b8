//! Webhooks and pushes to a real web server.

use notify::{Channels, Outlook, PushSettings, Settings, WebhookSettings, signature};
use portfolio::store::{Channel, DeliveryStatus};
use serde_json::{Value, json};
use testkit::{Post, Receiver};

use crate::world::World;

/// A path that must appear in no error.
const HOOK: &str = "/hook?token=geheim";
const BOTH: [Channel; 2] = [Channel::Webhook, Channel::Push];

fn ways(receiver: &Receiver) -> Channels {
    let url = receiver.url(HOOK);
    Channels::new(&Settings {
        email: None,
        webhook: Some(WebhookSettings {
            url: url.clone(),
            secret: "installation".to_owned(),
        }),
        push: Some(PushSettings {
            url,
            token: Some("gateway".to_owned()),
        }),
        allow_internal: true,
    })
    .unwrap()
}

fn is_push(post: &Post) -> bool {
    post.header("authorization") == "Bearer gateway"
}

#[tokio::test]
async fn each_channel_is_tried_again_by_itself_and_can_be_told_apart() {
    let receiver = Receiver::start().await;
    let ways = ways(&receiver);
    let world = World::with_user("lucja@example.com").await;
    world.prefers(json!({"push": {"token": "device"}})).await;
    receiver.answers(503);
    let left = world.notify(&ways, "k", &BOTH, Outlook::TryAgain).await;
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left[0].contains("503"), "{left:?}");
    receiver.answers(204);
    for _ in 0..2 {
        let left = world.notify(&ways, "k", &BOTH, Outlook::TryAgain).await;
        assert_eq!(left, [""; 0]);
    }
    let (pushes, hooks): (Vec<_>, Vec<_>) = receiver.posts().into_iter().partition(is_push);
    assert_eq!((pushes.len(), hooks.len()), (2, 2));
    assert_eq!(hooks[0].header("webhook-id"), hooks[1].header("webhook-id"));
    let keys: Vec<_> = pushes
        .iter()
        .map(|post| post.header("idempotency-key"))
        .collect();
    assert_eq!(keys[0], keys[1]);
    assert!(keys[0].starts_with("notification-1-"), "{keys:?}");

    let push: Value = serde_json::from_slice(&pushes[0].body).unwrap();
    assert_eq!(push["to"], "device");
    assert_eq!(push["data"]["data"], json!({"portfolio_id": 7}));
    let hook: Value = serde_json::from_slice(&hooks[0].body).unwrap();
    assert_eq!(hook["type"], "alert");
    assert_eq!(hook["user_id"], world.user_id);
}

#[tokio::test]
async fn a_webhook_is_signed_with_the_secret_of_its_address() {
    let receiver = Receiver::start().await;
    let ways = ways(&receiver);
    let world = World::with_user("lucja@example.com").await;
    let only = [Channel::Webhook];
    world.notify(&ways, "k", &only, Outlook::TryAgain).await;
    let own = json!({"webhook": {"url": receiver.url(HOOK), "secret": "whsec_c2VjcmV0"}});
    world.prefers(own).await;
    world.notify(&ways, "l", &only, Outlook::TryAgain).await;
    for (post, secret) in receiver.posts().iter().zip(["installation", "secret"]) {
        let seconds = post.header("webhook-timestamp").parse().unwrap();
        let expected = signature(secret, post.header("webhook-id"), seconds, &post.body);
        assert_eq!(post.header("webhook-signature"), expected);
    }
    assert_eq!(receiver.posts().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_final_and_redirects_are_not_followed() {
    for code in [301, 404] {
        let receiver = Receiver::start().await;
        receiver.answers(code);
        let world = World::with_user("lucja@example.com").await;
        let ways = ways(&receiver);
        let left = world
            .notify(&ways, "k", &[Channel::Webhook], Outlook::TryAgain)
            .await;
        assert_eq!(left, [""; 0]);
        let deliveries = world.deliveries().await;
        assert_eq!(deliveries[0].status, DeliveryStatus::Failed);
        let reason = deliveries[0].last_error.as_deref().unwrap();
        assert!(reason.contains(&code.to_string()), "{reason}");
    }
}

#[tokio::test]
async fn an_address_that_nobody_listens_at_is_tried_again_and_kept_secret() {
    let world = World::with_user("lucja@example.com").await;
    let port = testkit::free_port();
    let url = format!("http://127.0.0.1:{port}/hook?token=geheim");
    let own = json!({"webhook": {"url": url, "secret": "s"}});
    world.prefers(own).await;
    let settings = Settings {
        allow_internal: true,
        ..Settings::default()
    };
    let ways = Channels::new(&settings).unwrap();
    let left = world.notify(&ways, "k", &BOTH, Outlook::TryAgain).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        left[0].starts_with("webhook: ") && !left[0].contains("geheim"),
        "{left:?}"
    );
    let deliveries = world.deliveries().await;
    assert_eq!(deliveries[0].channel, Channel::Push);
    assert_eq!(deliveries[0].status, DeliveryStatus::Skipped);
    assert_eq!(
        deliveries[0].last_error.as_deref(),
        Some("no push gateway is set up")
    );
}

#[tokio::test]
async fn a_user_s_webhook_does_not_reach_this_machine_by_number_or_by_name() {
    let receiver = Receiver::start().await;
    let by_number = receiver.url(HOOK);
    let by_name = by_number.replace("127.0.0.1", "localhost");
    let ways = Channels::new(&Settings::default()).unwrap();
    for url in [by_number, by_name] {
        let world = World::with_user("lucja@example.com").await;
        world
            .prefers(json!({"webhook": {"url": url, "secret": "s"}}))
            .await;
        let only = [Channel::Webhook];
        let left = world.notify(&ways, "k", &only, Outlook::TryAgain).await;
        assert_eq!(left, [""; 0], "{url} is tried again");
        let delivery = &world.deliveries().await[0];
        assert_eq!(delivery.status, DeliveryStatus::Failed, "{url}");
        let reason = delivery.last_error.as_deref().unwrap();
        assert!(reason.contains("internal"), "{url}: {reason}");
        assert!(!reason.contains("geheim"), "{reason}");
    }
    assert_eq!(receiver.posts().len(), 0);
}
