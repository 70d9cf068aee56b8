//! Deleting artefacts whose time has passed: the file first, so that a row never lacks its file for long; and only files of
//! the data folder.

use std::io::ErrorKind;

use jiff::Timestamp;
use portfolio::store::ExpiredArtefact;
use tasks::{Run, failure};
use worker::Outcome;

/// How many were deleted, or would be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DeletedArtefacts {
    pub(crate) count: u64,
    pub(crate) bytes: i64,
}

/// Deletes the artefacts that expired before a moment. One that cannot be deleted is an error of its own.
pub(crate) async fn delete_expired(
    run: &mut Run<'_>,
    before: Timestamp,
    dry_run: bool,
) -> Result<DeletedArtefacts, Outcome> {
    let store = run.store().await?;
    let mut deleted = DeletedArtefacts::default();
    for artefact in store.expired_artefacts(before).await.map_err(failure)? {
        if !dry_run {
            if let Err(reason) = remove(run, &artefact) {
                run.item_failed("artifact", Some(artefact.id), "io_error", reason);
                continue;
            }
            store.delete_artefact(artefact.id).await.map_err(failure)?;
        }
        deleted.count += 1;
        deleted.bytes += artefact.bytes;
    }
    Ok(deleted)
}

/// Removes the file; one that is gone already is as good.
fn remove(run: &Run<'_>, artefact: &ExpiredArtefact) -> Result<(), String> {
    let path = run.app().data().join(&artefact.path);
    let shown = path.display();
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("{shown}: {error}")),
    };
    let data = run.app().data().canonicalize();
    if !data.is_ok_and(|data| real.starts_with(data)) {
        return Err(format!(
            "{shown} is outside the data folder and was not touched"
        ));
    }
    std::fs::remove_file(&real).map_err(|error| format!("{shown}: {error}"))
}
