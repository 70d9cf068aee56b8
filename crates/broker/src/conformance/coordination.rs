//! One leader at a time, and a memory that only the leader can write.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::fixture::{Fixture, eventually, message, publish};
use super::runner::cases;
use crate::{Commit, Fence};

cases![
    the_servers_clock_goes,
    one_owner_at_a_time,
    renewing_keeps_the_fence,
    expired_lease_changes_hands_with_a_higher_fence,
    released_lease_is_free_at_once,
    only_the_owner_releases,
    leases_are_apart,
    many_rivals_one_winner,
    commit_writes_and_publishes,
    commit_deletes,
    commit_without_the_lease_does_nothing,
    commit_with_an_old_fence_does_nothing,
    spaces_are_apart,
    entries_are_fetched_by_key,
    entries_outlive_the_lease,
];

const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(400);

impl Fixture {
    async fn acquire(&self, owner: &str, ttl: Duration) -> Option<Fence> {
        self.coordinator()
            .acquire("leader", owner, ttl)
            .await
            .expect("the question is answered")
    }

    async fn lead(&self, owner: &str) -> Fence {
        self.acquire(owner, LONG).await.expect("the lease is free")
    }

    async fn release(&self, owner: &str) {
        self.coordinator()
            .release("leader", owner)
            .await
            .expect("releasing works");
    }

    async fn owner(&self) -> Option<String> {
        let holder = self
            .coordinator()
            .holder("leader")
            .await
            .expect("the question is answered");
        holder.map(|holder| holder.owner)
    }

    async fn commit(
        &self,
        fence: Fence,
        space: &str,
        entries: &[(&str, Option<&str>)],
        sent: &[&str],
    ) -> bool {
        let bytes = |value: &str| Bytes::copy_from_slice(value.as_bytes());
        let commit = Commit {
            lease: "leader".to_owned(),
            fence,
            space: space.to_owned(),
            entries: entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.map(bytes)))
                .collect(),
            publish: sent.iter().map(|id| publish("q", message(id))).collect(),
        };
        self.coordinator()
            .commit(commit)
            .await
            .expect("the commit is answered")
    }

    /// How many entries the space's pages hold.
    async fn pages(&self, space: &str) -> usize {
        let (sender, mut pages) = mpsc::channel(1);
        let load = self.coordinator().load_pages(space, sender);
        let count = async {
            let mut count = 0;
            while let Some(page) = pages.recv().await {
                count += page.len();
            }
            count
        };
        let (loaded, count) = tokio::join!(load, count);
        loaded.expect("a space is loaded");
        count
    }

    async fn entries(&self, space: &str) -> Vec<(String, String)> {
        let entries = self
            .coordinator()
            .load(space)
            .await
            .expect("a space is loaded");
        assert_eq!(self.pages(space).await, entries.len());
        let text = |value: Bytes| String::from_utf8(value.into()).expect("text was written");
        let mut entries: Vec<_> = entries
            .into_iter()
            .map(|(key, value)| (key, text(value)))
            .collect();
        entries.sort();
        entries
    }
}

fn entry(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

/// All servers under test are on this machine, whose clock nobody sets meanwhile.
async fn the_servers_clock_goes(fixture: Fixture) {
    let now = async || fixture.coordinator().now().await.expect("a time");
    let (before, first) = (Timestamp::now(), now().await);
    let (second, after) = (now().await, Timestamp::now());
    let rounding = SignedDuration::from_millis(1);
    let times = [before - rounding, first, second, after + rounding];
    assert!(times.is_sorted(), "{times:?}");
}

async fn one_owner_at_a_time(fixture: Fixture) {
    assert_eq!(fixture.owner().await, None);
    let fence = fixture.lead("first").await;
    assert_eq!(fixture.acquire("second", LONG).await, None);
    let holder = fixture
        .coordinator()
        .holder("leader")
        .await
        .expect("the question is answered");
    let holder = holder.expect("somebody holds it");
    assert_eq!((holder.owner.as_str(), holder.fence), ("first", fence));
    assert!(
        holder.remaining <= LONG && holder.remaining > LONG / 2,
        "{holder:?}"
    );
}

async fn renewing_keeps_the_fence(fixture: Fixture) {
    let fence = fixture.lead("first").await;
    assert_eq!(fixture.acquire("first", LONG).await, Some(fence));
    assert_eq!(fixture.acquire("second", LONG).await, None);
}

async fn expired_lease_changes_hands_with_a_higher_fence(fixture: Fixture) {
    let old = fixture
        .acquire("first", SHORT)
        .await
        .expect("the lease is free");
    let fixture = &fixture;
    eventually("the lease to expire", || async move {
        fixture.acquire("second", LONG).await.is_some()
    })
    .await;
    let new = fixture
        .acquire("second", LONG)
        .await
        .expect("it is the second's now");
    assert!(new > old, "{new:?} after {old:?}");
    assert_eq!(fixture.acquire("first", LONG).await, None);
}

async fn released_lease_is_free_at_once(fixture: Fixture) {
    let old = fixture.lead("first").await;
    fixture.release("first").await;
    assert_eq!(fixture.owner().await, None);
    assert!(fixture.lead("second").await > old);
}

async fn only_the_owner_releases(fixture: Fixture) {
    fixture.release("nobody").await;
    fixture.lead("first").await;
    fixture.release("second").await;
    assert_eq!(fixture.owner().await.as_deref(), Some("first"));
}

async fn leases_are_apart(fixture: Fixture) {
    fixture.lead("first").await;
    let other = fixture.coordinator().acquire("other", "second", LONG).await;
    assert!(other.expect("the question is answered").is_some());
}

async fn many_rivals_one_winner(fixture: Fixture) {
    let mut rivals = JoinSet::new();
    for rival in 0..16 {
        let coordinator = fixture.coordinator().clone();
        rivals.spawn(async move {
            coordinator
                .acquire("leader", &format!("rival-{rival}"), LONG)
                .await
        });
    }
    let answers = rivals.join_all().await;
    let winners = answers
        .into_iter()
        .filter(|answer| answer.as_ref().is_ok_and(Option::is_some))
        .count();
    assert_eq!(winners, 1);
}

async fn commit_writes_and_publishes(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    let fence = fixture.lead("first").await;
    assert!(
        fixture
            .commit(
                fence,
                "space",
                &[("a", Some("1")), ("ü b", Some(""))],
                &["x", "y"]
            )
            .await
    );
    assert_eq!(
        fixture.entries("space").await,
        [entry("a", "1"), entry("ü b", "")]
    );
    assert_eq!(member.take_ids(2).await, ["x", "y"]);
    assert!(
        fixture
            .commit(fence, "space", &[("a", Some("2"))], &[])
            .await
    );
    assert_eq!(
        fixture.entries("space").await,
        [entry("a", "2"), entry("ü b", "")]
    );
}

async fn commit_deletes(fixture: Fixture) {
    let fence = fixture.lead("first").await;
    assert!(
        fixture
            .commit(fence, "space", &[("a", Some("1")), ("b", Some("2"))], &[])
            .await
    );
    assert!(
        fixture
            .commit(fence, "space", &[("a", None), ("never", None)], &[])
            .await
    );
    assert_eq!(fixture.entries("space").await, [entry("b", "2")]);
}

async fn commit_without_the_lease_does_nothing(fixture: Fixture) {
    assert!(
        !fixture
            .commit(Fence(0), "space", &[("a", Some("1"))], &["x"])
            .await
    );
    let fence = fixture.lead("first").await;
    fixture.release("first").await;
    assert!(
        !fixture
            .commit(fence, "space", &[("a", Some("1"))], &["x"])
            .await
    );
    assert!(fixture.entries("space").await.is_empty());
    assert_eq!(fixture.ready("q").await, 0);
}

async fn commit_with_an_old_fence_does_nothing(fixture: Fixture) {
    let old = fixture.lead("first").await;
    assert!(fixture.commit(old, "space", &[("a", Some("1"))], &[]).await);
    fixture.release("first").await;
    let new = fixture.lead("second").await;
    assert!(
        !fixture
            .commit(old, "space", &[("a", Some("stale"))], &["x"])
            .await
    );
    assert_eq!(fixture.entries("space").await, [entry("a", "1")]);
    assert_eq!(fixture.ready("q").await, 0);
    assert!(
        fixture
            .commit(new, "space", &[("a", Some("2"))], &["x"])
            .await
    );
    assert_eq!(fixture.ready("q").await, 1);
}

async fn spaces_are_apart(fixture: Fixture) {
    let fence = fixture.lead("first").await;
    assert!(fixture.commit(fence, "one", &[("a", Some("1"))], &[]).await);
    assert!(fixture.commit(fence, "two", &[("a", Some("2"))], &[]).await);
    assert_eq!(fixture.entries("one").await, [entry("a", "1")]);
    assert_eq!(fixture.entries("two").await, [entry("a", "2")]);
    assert!(fixture.entries("three").await.is_empty());
}

async fn entries_are_fetched_by_key(fixture: Fixture) {
    let fence = fixture.lead("first").await;
    let entries = [("a", Some("1")), ("b", Some("2")), ("c", Some(""))];
    assert!(fixture.commit(fence, "space", &entries, &[]).await);
    let keys = ["c", "missing", "a", "a"].map(str::to_owned);
    let coordinator = fixture.coordinator();
    let found = coordinator.fetch("space", &keys).await.expect("an answer");
    let texts = ["", "1", "1"].map(|text| Some(Bytes::from_static(text.as_bytes())));
    let [empty, first, again] = texts;
    assert_eq!(found, [empty, None, first, again]);
    let nothing = coordinator.fetch("space", &[]).await.expect("an answer");
    assert!(nothing.is_empty());
    let elsewhere = coordinator.fetch("other", &keys[..1]).await;
    assert_eq!(elsewhere.expect("an answer"), [None]);
}

async fn entries_outlive_the_lease(fixture: Fixture) {
    let fence = fixture.lead("first").await;
    assert!(
        fixture
            .commit(fence, "space", &[("a", Some("1"))], &[])
            .await
    );
    fixture.release("first").await;
    fixture.lead("second").await;
    assert_eq!(fixture.entries("space").await, [entry("a", "1")]);
}
