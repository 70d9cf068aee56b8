//! Mail to a real server.

use std::time::Duration;

use notify::{Outlook, Security};
use portfolio::store::{Channel, DeliveryStatus};
use testkit::MailServer;

use crate::world::{World, email_settings, mail_only};

#[tokio::test]
async fn a_mail_arrives_over_starttls_and_once() {
    let server = MailServer::with_tls().await;
    let ways = mail_only(email_settings(&server, Security::StartTls));
    let world = World::with_user("lucja@example.com").await;
    for _ in 0..2 {
        let left = world
            .notify(&ways, "k", &[Channel::Email], Outlook::TryAgain)
            .await;
        assert_eq!(left, [""; 0], "{:?}", world.deliveries().await);
    }
    let mails = server.mails_when(1).await;
    let [mail] = mails.as_slice() else {
        panic!("{mails:?}")
    };
    assert!(mail.tls);
    assert_eq!(
        (mail.user.as_str(), mail.to.as_str()),
        ("user", "lucja@example.com")
    );
    assert_eq!(
        mail.content["subject"],
        "Drawdown of 12 % Bcc: all@example.com"
    );
    assert_eq!(
        mail.content["from"],
        "Value Partner <noreply@valuepartner.app>"
    );
    assert_eq!(mail.content["to"], "Łucja 漢 <lucja@example.com>");
    assert_eq!(mail.content["auto"], "auto-generated");
    let text = mail.content["text"].as_str().unwrap().replace('\r', "");
    assert_eq!(
        text,
        "Your portfolio Ελλάδα fell.\n.\nThis line follows a dot."
    );
    let deliveries = world.deliveries().await;
    assert_eq!(
        (deliveries[0].status, deliveries[0].attempts),
        (DeliveryStatus::Sent, 1)
    );
}

#[tokio::test]
async fn a_busy_server_is_tried_again_with_the_same_message_id_until_the_last_try() {
    let server = MailServer::plain().await;
    let ways = mail_only(email_settings(&server, Security::None));
    let world = World::with_user("busy@example.com").await;
    let tries = [
        (Outlook::TryAgain, 1, 1),
        (Outlook::LastTry, 2, 0),
        (Outlook::TryAgain, 2, 0),
    ];
    for (outlook, mails, expected) in tries {
        let left = world
            .notify(&ways, "k", &[Channel::Email, Channel::InApp], outlook)
            .await;
        assert_eq!(left.len(), expected, "{left:?}");
        server.mails_when(mails).await;
    }
    let mails = server.mails();
    assert_eq!(mails.len(), 2, "what has failed is not tried again");
    assert_eq!(
        mails[0].content["message_id"],
        mails[1].content["message_id"]
    );
    let deliveries = world.deliveries().await;
    let email = &deliveries[0];
    assert_eq!((email.status, email.attempts), (DeliveryStatus::Failed, 2));
    let reason = email.last_error.as_deref().unwrap();
    assert!(reason.contains("come back later"), "{reason}");
    assert_eq!(
        (deliveries[1].channel, deliveries[1].status),
        (Channel::InApp, DeliveryStatus::Sent)
    );
}

#[tokio::test]
async fn a_refusal_is_final_and_says_why() {
    let server = MailServer::plain().await;
    let ways = mail_only(email_settings(&server, Security::None));
    for (address, said) in [
        ("refused@example.com", "no such mailbox"),
        ("nonsense", "is no mail address"),
    ] {
        let world = World::with_user(address).await;
        let left = world
            .notify(&ways, "k", &[Channel::Email], Outlook::TryAgain)
            .await;
        assert_eq!(left, [""; 0]);
        let deliveries = world.deliveries().await;
        assert_eq!(deliveries[0].status, DeliveryStatus::Failed);
        let reason = deliveries[0].last_error.as_deref().unwrap();
        assert!(reason.contains(said), "{reason}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_after_the_mail_is_left_in_time() {
    let server = MailServer::plain().await;
    let mut settings = email_settings(&server, Security::None);
    settings.timeout = Duration::from_secs(1);
    let world = World::with_user("hang@example.com").await;
    let ways = mail_only(settings);
    let left = world
        .notify(&ways, "k", &[Channel::Email], Outlook::TryAgain)
        .await;
    assert_eq!(left, ["email: no answer within 1s"]);
    assert_eq!(world.deliveries().await[0].status, DeliveryStatus::Pending);
}

#[tokio::test]
async fn nothing_goes_out_in_clear_or_to_a_stranger() {
    let world = World::with_user("lucja@example.com").await;
    let plain = MailServer::plain().await;
    let tls = MailServer::with_tls().await;
    let mut stranger = email_settings(&tls, Security::StartTls);
    stranger.ca_file = None;
    let mut clear = email_settings(&plain, Security::StartTls);
    clear.login = None;
    for (key, settings) in [("clear", clear), ("stranger", stranger)] {
        let ways = mail_only(settings);
        world
            .notify(&ways, key, &[Channel::Email], Outlook::LastTry)
            .await;
    }
    for id in [1, 2] {
        let deliveries = world.store.deliveries(id).await.unwrap();
        assert_eq!(
            deliveries[0].status,
            DeliveryStatus::Failed,
            "{deliveries:?}"
        );
    }
    assert_eq!(plain.mails().len() + tls.mails().len(), 0);
}

#[tokio::test]
async fn a_wrong_password_is_final_and_not_repeated_in_the_reason() {
    let server = MailServer::with_tls().await;
    let mut settings = email_settings(&server, Security::StartTls);
    settings.login = Some(("user".to_owned(), "geheim".to_owned()));
    assert!(!format!("{settings:?}").contains("geheim"));
    let world = World::with_user("lucja@example.com").await;
    let ways = mail_only(settings);
    let left = world
        .notify(&ways, "k", &[Channel::Email], Outlook::TryAgain)
        .await;
    assert_eq!(left, [""; 0]);
    let deliveries = world.deliveries().await;
    assert_eq!(deliveries[0].status, DeliveryStatus::Failed);
    assert!(!format!("{deliveries:?}").contains("geheim"));
}
