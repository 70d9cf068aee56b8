//! The embedded broker.

use std::path::PathBuf;
use std::sync::Arc;

use broker::{Backends, BrokerError, ResultBackend};
use broker_sqlite::{SqliteBroker, SqliteOptions, SqliteResults};

use crate::Settings;

/// Opens the file; with `fused`, results are in it too.
pub(super) async fn open(
    settings: &Settings,
    url: &str,
    fused: bool,
) -> Result<Backends, BrokerError> {
    let options: SqliteOptions = url.parse()?;
    let policy = fused.then(|| settings.result_policy());
    Ok(SqliteBroker::connect(options, policy).await?.backends())
}

/// Opens a file for results alone.
pub(super) async fn open_results(
    settings: &Settings,
    url: &str,
) -> Result<Arc<dyn ResultBackend>, BrokerError> {
    Ok(SqliteResults::connect(url.parse()?, settings.result_policy()).await?)
}

/// The file that opening would create.
pub(super) fn missing_file(url: &str) -> Option<PathBuf> {
    let options = url.parse::<SqliteOptions>().ok()?;
    Some(options.path().to_owned()).filter(|path| !path.exists())
}

/// Whether both URLs name the same file.
pub(super) fn same_file(one: &str, other: &str) -> bool {
    let path = |url: &str| {
        url.parse::<SqliteOptions>()
            .ok()
            .map(|options| options.path().to_owned())
    };
    path(one).is_some_and(|path_of_one| path(other) == Some(path_of_one))
}
