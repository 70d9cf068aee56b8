//! The whole task on a database: cold, with nothing changed, and after one new day.

use std::path::Path;
use std::time::Instant;

use jiff::civil::Date;
use portfolio::analytics::{RefreshRequest, Status, refresh};
use portfolio::store::Store;

use crate::figures::Figure;

pub(crate) async fn run(path: &Path, as_of: Date, full: bool) -> anyhow::Result<Figure> {
    let started = Instant::now();
    let store = Store::open(path).await?;
    let request = RefreshRequest {
        as_of: Some(as_of),
        full,
        ..RefreshRequest::new("bench")
    };
    let envelope = refresh(&store, &request, &mut |_| {}, &|| false).await?;
    anyhow::ensure!(
        envelope.status == Status::Success,
        "the run ended as {:?}: {:?}",
        envelope.status,
        envelope.errors.first()
    );
    let figure = Figure::since(started);
    store.close().await;
    figure
}
