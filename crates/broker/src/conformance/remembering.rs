//! Texts that are remembered for a time.

use std::time::Duration;

use super::fixture::{Fixture, eventually, ids};
use super::runner::cases;
use crate::MOST_REMEMBERED;

cases![
    texts_are_remembered_oldest_first,
    remembering_again_renews,
    texts_are_forgotten_in_time,
    spaces_remember_apart,
    oldest_of_too_many_give_way,
];

const LONG: Duration = Duration::from_secs(600);

impl Fixture {
    async fn remember(&self, space: &str, texts: &[&str], keep: Duration) {
        let texts = texts.iter().map(ToString::to_string).collect();
        self.coordinator()
            .remember(space, texts, keep)
            .await
            .expect("texts are remembered");
    }

    async fn remembered(&self, space: &str) -> Vec<String> {
        self.coordinator()
            .remembered(space)
            .await
            .expect("what is remembered is known")
    }
}

async fn texts_are_remembered_oldest_first(fixture: Fixture) {
    assert!(fixture.remembered("revoked").await.is_empty());
    fixture.remember("revoked", &[], LONG).await;
    fixture
        .remember("revoked", &["z", "ü {\"a\": 1}"], LONG)
        .await;
    fixture.remember("revoked", &["a"], LONG * 2).await;
    assert_eq!(
        fixture.remembered("revoked").await,
        ["z", "ü {\"a\": 1}", "a"]
    );
}

async fn remembering_again_renews(fixture: Fixture) {
    fixture.remember("s", &["a", "b", "a"], LONG).await;
    fixture.remember("s", &["a"], LONG * 2).await;
    assert_eq!(fixture.remembered("s").await, ["b", "a"]);
}

async fn texts_are_forgotten_in_time(fixture: Fixture) {
    let fixture = &fixture;
    fixture.remember("s", &["kept"], LONG).await;
    fixture
        .remember("s", &["brief"], Duration::from_millis(200))
        .await;
    eventually("a text to be forgotten", || async move {
        fixture.remembered("s").await == ["kept"]
    })
    .await;
}

async fn spaces_remember_apart(fixture: Fixture) {
    fixture.remember("one", &["a"], LONG).await;
    fixture.remember("two", &["a", "b"], LONG).await;
    assert_eq!(fixture.remembered("one").await, ["a"]);
    assert_eq!(fixture.remembered("two").await, ["a", "b"]);
}

async fn oldest_of_too_many_give_way(fixture: Fixture) {
    let texts = ids("text-", MOST_REMEMBERED + 10);
    let coordinator = fixture.coordinator();
    for texts in texts.chunks(30_000) {
        coordinator
            .remember("s", texts.to_vec(), LONG)
            .await
            .expect("texts are remembered");
    }
    assert!(fixture.remembered("s").await == texts[10..]);
}
