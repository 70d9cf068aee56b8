//! Whole tasks on a database: all prices read; a refresh cold, with nothing changed, and after one new day; snapshots.

use std::path::Path;

use jiff::civil::Date;
use portfolio::analytics::{RefreshRequest, SnapshotRequest, Status, create_snapshots, refresh};
use portfolio::store::Store;

use crate::figures::{Began, Figure};
use crate::load::Size;

/// A refresh.
pub(crate) async fn run(path: &Path, as_of: Date, full: bool) -> anyhow::Result<Figure> {
    let began = Began::now()?;
    let store = Store::open(path).await?;
    let request = RefreshRequest {
        as_of: Some(as_of),
        full,
        ..RefreshRequest::new("bench")
    };
    let envelope = refresh(&store, &request, &mut |_| {}, &|| false).await?;
    ended(envelope.status)?;
    let figure = began.figure();
    store.close().await;
    figure
}

/// A snapshot of every portfolio, whether it is there already or not.
pub(crate) async fn snapshots(path: &Path, date: Date) -> anyhow::Result<Figure> {
    let began = Began::now()?;
    let store = Store::open(path).await?;
    let request = SnapshotRequest {
        date: Some(date),
        force: true,
        ..SnapshotRequest::default()
    };
    let envelope = create_snapshots(&store, &request, &mut |_| {}, &|| false).await?;
    ended(envelope.status)?;
    let figure = began.figure();
    store.close().await;
    figure
}

/// All prices.
pub(crate) async fn prices(path: &Path, size: Size) -> anyhow::Result<Figure> {
    let store = Store::open(path).await?;
    let ids: Vec<i64> = (1..=i64::try_from(size.assets)?).collect();
    let began = Began::now()?;
    let market = store.market(&ids).await?;
    let figure = began.figure();
    let complete = market
        .assets()
        .iter()
        .all(|asset| asset.closes.len() == size.days);
    anyhow::ensure!(complete, "every asset has a price on every day");
    store.close().await;
    figure
}

fn ended(status: Status) -> anyhow::Result<()> {
    anyhow::ensure!(status == Status::Success, "the run ended as {status:?}");
    Ok(())
}
