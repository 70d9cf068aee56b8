//! Files of tasks: below the folder `reports` of the data folder, each with its row, found again by what it was made of.
//!
//! A run that was killed between file and row writes the same bytes to the same name again: the name ends in the input's hash.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use portfolio::store::{ArtefactRow, NewArtefact, Store};
use reports::Error;
use reports::artefact::{Artefact, hash_of, is_whole, store};
use reports::document::Document;
use reports::files::Format;
use reports::listing::render;
use serde::{Deserialize, Serialize};
use tasks::{Run, failure};
use worker::Outcome;

/// How long a file is kept after it was last asked for.
const LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Digits of the hash in a file's name.
const TAG: usize = 12;
/// The folder in the data folder.
const FOLDER: &str = "reports";

/// A file as results name it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filed {
    /// The row.
    pub artifact_id: i64,
    /// What it was written as.
    pub format: Format,
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Of its content, hexadecimal.
    pub sha256: String,
    /// The first and the last day that it speaks of.
    #[serde(skip)]
    pub period: Option<(Date, Date)>,
}

/// What a file is.
#[derive(Clone, Copy, Debug)]
pub struct Label<'l> {
    /// Whose it is; none for the whole system.
    pub user_id: Option<i64>,
    /// What it says, such as `tax`.
    pub kind: &'l str,
    /// The hash of everything that it is made of.
    pub input_hash: &'l str,
}

impl<'l> Label<'l> {
    /// The end of the file's name.
    pub fn tag(&self) -> &'l str {
        self.input_hash.get(..TAG).unwrap_or(self.input_hash)
    }
}

/// The files of one run.
#[derive(Clone, Copy, Debug)]
pub struct Filing<'r> {
    store: &'r Store,
    data: &'r Path,
    task_id: &'r str,
}

impl<'r> Filing<'r> {
    /// Of this run.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub async fn of(run: &Run<'r>) -> Result<Self, Outcome> {
        Ok(Self {
            store: run.store().await?,
            data: run.app().data(),
            task_id: run.ctx().id(),
        })
    }

    /// Where the files of this owner are.
    pub fn folder(&self, label: &Label<'_>) -> PathBuf {
        let owner = label.user_id.map(|id| format!("user-{id}"));
        self.data
            .join(FOLDER)
            .join(owner.as_deref().unwrap_or("system"))
    }

    /// The file that was made of the same input, if it is still whole; it lives longer then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, label: &Label<'_>, format: Format) -> Result<Option<Filed>, Outcome> {
        let found = self
            .store
            .find_artefact(label.kind, format.as_str(), label.input_hash);
        let Some(row) = found.await.map_err(failure)? else {
            return Ok(None);
        };
        let path = self.data.join(&row.path);
        if !is_whole(&path, row.bytes, &row.sha256) {
            return Ok(None);
        }
        let prolonged = self
            .store
            .prolong_artefact(row.id, Timestamp::now() + LIFE)
            .await;
        prolonged.map_err(failure)?;
        let ArtefactRow {
            id,
            bytes,
            sha256,
            period,
            ..
        } = row;
        Ok(Some(Filed {
            artifact_id: id,
            format,
            path,
            bytes,
            sha256,
            period: Some(period),
        }))
    }

    /// A document in each format: the files there are, and new ones.
    ///
    /// # Errors
    /// When the database fails or a file cannot be written.
    pub async fn document(
        &self,
        user_id: Option<i64>,
        kind: &str,
        document: &Document,
        period: (Date, Date),
        formats: &[Format],
    ) -> Result<Vec<Filed>, Outcome> {
        let hash = hash_of([
            format!("{user_id:?} {period:?}").as_str(),
            &format!("{document:?}"),
        ]);
        let label = Label {
            user_id,
            kind,
            input_hash: &hash,
        };
        let mut files = Vec::new();
        for format in once_each(formats) {
            if let Some(filed) = self.find(&label, format).await? {
                files.push(filed);
                continue;
            }
            let (tag, ending) = (label.tag(), format.as_str());
            let name = format!("{kind}-{}-{}-{tag}.{ending}", period.0, period.1);
            let bytes = render(document, format)?;
            let artefact = store(&self.folder(&label), &name, |output| {
                output.write_all(&bytes).map_err(Error::Write)
            })?;
            files.push(self.add(&label, format, period, artefact).await?);
        }
        Ok(files)
    }

    /// Remembers a file that was written into [`Filing::folder`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(
        &self,
        label: &Label<'_>,
        format: Format,
        period: (Date, Date),
        artefact: Artefact,
    ) -> Result<Filed, Outcome> {
        let below = artefact
            .path
            .strip_prefix(self.data)
            .unwrap_or(&artefact.path);
        let new = NewArtefact {
            user_id: label.user_id,
            kind: label.kind,
            format: format.as_str(),
            period,
            path: &below.display().to_string(),
            bytes: artefact.bytes,
            sha256: &artefact.sha256,
            input_hash: label.input_hash,
            task_id: self.task_id,
        };
        let now = Timestamp::now();
        let added = self.store.add_artefact(&new, now, now + LIFE).await;
        Ok(Filed {
            artifact_id: added.map_err(failure)?,
            format,
            path: artefact.path,
            bytes: artefact.bytes,
            sha256: artefact.sha256,
            period: Some(period),
        })
    }
}

/// The formats in order, none twice.
pub(super) fn once_each(formats: &[Format]) -> Vec<Format> {
    let mut kept: Vec<Format> = Vec::new();
    for format in formats {
        if !kept.contains(format) {
            kept.push(*format);
        }
    }
    kept
}
