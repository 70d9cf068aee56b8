//! Rows of files, and what reports on the system read.

use jiff::SignedDuration;
use jiff::civil::date;
use portfolio::store::NewArtefact;

use crate::world::{Server, World, now, on_both_servers};

async fn a_file_is_found_by_what_it_was_made_of(server: Server) {
    let World { store, .. } = &World::empty(server).await;
    let new = NewArtefact {
        user_id: None,
        kind: "system",
        format: "json",
        period: (date(2026, 1, 1), date(2026, 1, 2)),
        path: "reports/system/a.json",
        bytes: 7,
        sha256: "beef",
        input_hash: "cafe",
        task_id: "t",
    };
    let expires = now() + SignedDuration::from_hours(1);
    let first = store.add_artefact(&new, now(), expires).await.unwrap();
    let again = store.add_artefact(&new, now(), expires).await.unwrap();
    let found = store.find_artefact("system", "json", "cafe").await.unwrap();
    let found = found.unwrap();
    assert_eq!(
        (found.id, found.bytes, found.period),
        (again, 7, new.period)
    );
    assert_eq!(store.artefact_paths().await.unwrap().len(), 1, "{first}");
    let later = now() + SignedDuration::from_hours(3);
    store.prolong_artefact(again, later).await.unwrap();
    let meanwhile = now() + SignedDuration::from_hours(2);
    assert!(store.expired_artefacts(meanwhile).await.unwrap().is_empty());
    for (kind, format, hash) in [
        ("tax", "json", "cafe"),
        ("system", "pdf", "cafe"),
        ("system", "json", "feed"),
    ] {
        let none = store.find_artefact(kind, format, hash).await.unwrap();
        assert!(none.is_none(), "{kind} {format} {hash}");
    }
}

on_both_servers!(a_file_is_found_by_what_it_was_made_of);

async fn a_window_holds_what_began_in_it(server: Server) {
    let World { store, .. } = &World::empty(server).await;
    let hour = SignedDuration::from_hours(1);
    let half = SignedDuration::from_millis(500);
    for at in [now() - half, now(), now() + half, now() + hour] {
        let added = store.add_health_sample(at, "healthy", "{}", 1);
        added.await.unwrap();
    }
    let samples = store.health_between(now(), now() + hour).await.unwrap();
    assert_eq!(samples.len(), 2);
    let metrics = store.metrics_between(now(), now() + hour).await.unwrap();
    assert!(metrics.is_empty());
    let days = (date(1, 1, 1), date(2026, 1, 1));
    for (user, portfolio) in [(None, None), (Some(1), Some(1))] {
        let compared = store.compared(user, portfolio, days).await.unwrap();
        assert!(compared.is_empty());
    }
}

on_both_servers!(a_window_holds_what_began_in_it);
