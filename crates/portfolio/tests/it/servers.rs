//! What the database servers must do alike, and what is said when PostgreSQL cannot be used.

use jiff::{SignedDuration, Timestamp};
use portfolio::Error;
use portfolio::store::{LockAttempt, Store};
use testkit::Postgres;

use crate::world::{Server, World, on_both_servers};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

on_both_servers!(a_lock_has_one_owner_until_its_lease_ends);

async fn a_lock_has_one_owner_until_its_lease_ends(server: Server) {
    let World { store, .. } = &World::empty(server).await;
    let lease = SignedDuration::from_secs(30);
    let LockAttempt::Acquired(lock) = store.lock("k", "one", NOW, lease).await.unwrap() else {
        panic!("free")
    };
    let held = store.lock("k", "two", NOW, lease).await.unwrap();
    assert!(matches!(held, LockAttempt::Held { owner } if owner == "one"));
    store
        .renew(&lock, NOW + SignedDuration::from_secs(20), lease)
        .await
        .unwrap();
    let still = store
        .lock("k", "two", NOW + SignedDuration::from_secs(40), lease)
        .await
        .unwrap();
    assert!(matches!(still, LockAttempt::Held { .. }));
    let taken = store
        .lock("k", "two", NOW + SignedDuration::from_secs(50), lease)
        .await
        .unwrap();
    assert!(matches!(taken, LockAttempt::Acquired(_)));
    assert!(matches!(
        store.renew(&lock, NOW, lease).await.unwrap_err(),
        Error::LockLost(_)
    ));
    store.unlock(&lock).await.unwrap();
    let other = store
        .lock("k", "three", NOW + SignedDuration::from_secs(60), lease)
        .await
        .unwrap();
    assert!(matches!(other, LockAttempt::Held { owner } if owner == "two"));
}

on_both_servers!(health_samples_come_newest_first);

async fn health_samples_come_newest_first(server: Server) {
    let World { store, .. } = &World::empty(server).await;
    for status in ["healthy", "degraded", "unhealthy"] {
        store.add_health_sample(NOW, status, "{}", 5).await.unwrap();
    }
    let newest = store.add_health_sample(NOW, "healthy", "{}", 2).await;
    assert_eq!(newest.unwrap(), ["healthy", "unhealthy"]);
}

on_both_servers!(the_newest_days_are_found);

async fn the_newest_days_are_found(server: Server) {
    let world = World::empty(server).await;
    assert_eq!(world.store.newest_price().await.unwrap(), None);
    let asset = world.asset("IBM").await;
    world
        .prices(asset, "date,close\n2013-02-28,200.83\n2013-03-01,202.91\n")
        .await;
    let newest = world.store.newest_price().await.unwrap();
    assert_eq!(newest, Some("2013-03-01".parse().unwrap()));
    assert_eq!(world.store.newest_rate().await.unwrap(), None);
}

#[tokio::test]
async fn opening_twice_migrates_once_and_keeps_rows() {
    let world = World::empty(Server::Postgres).await;
    let first = world.user("a@b.c").await;
    let again = world.open_again().await;
    assert_eq!(again.users().await.unwrap()[0].id, first);
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_said() {
    let server = Postgres::start();
    let url = server.url().replace("/postgres", "/nowhere");
    let error = Store::open_url(&url).await.unwrap_err();
    assert!(matches!(error, Error::DatabaseMissing(_)), "{error}");
    assert!(error.to_string().contains("/nowhere not found"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_said_without_its_password() {
    let mut server = Postgres::start();
    let url = server.url().replace("celeriac@", "celeriac:geheim@");
    let store = Store::open_url(&url).await.unwrap();
    server.kill();
    let error = Store::open_url(&url).await.unwrap_err();
    assert!(
        matches!(error, Error::DatabaseUnreachable { .. }),
        "{error}"
    );
    for said in ["start its server", "Connection refused"] {
        assert!(error.to_string().contains(said), "{error}");
    }
    for text in [error.to_string(), store.name().to_owned()] {
        assert!(!text.contains("geheim"), "{text}");
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_read_is_said_without_its_password() {
    let error = Store::open_url("postgresql://a:geheim@host:port/finance").await;
    let text = format!("{}", error.unwrap_err());
    assert!(text.contains("not a URL such as"), "{text}");
    assert!(!text.contains("geheim"), "{text}");
}
