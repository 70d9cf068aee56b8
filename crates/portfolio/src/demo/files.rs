//! Where the demo's market data comes from.

use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;

use crate::error::{Error, Result};

/// Names the folder that replaces the embedded data.
const VARIABLE: &str = "CELERIAC_DATA";

/// Embedded, compressed, by path.
const EMBEDDED: [(&str, &[u8]); 5] = [
    (
        "prices/AAPL.csv",
        include_bytes!("../../demo/prices/AAPL.csv.gz"),
    ),
    (
        "prices/GOOG.csv",
        include_bytes!("../../demo/prices/GOOG.csv.gz"),
    ),
    (
        "prices/IBM.csv",
        include_bytes!("../../demo/prices/IBM.csv.gz"),
    ),
    (
        "fx/ecb_eur.csv",
        include_bytes!("../../demo/fx/ecb_eur.csv.gz"),
    ),
    (
        "corporate_actions.csv",
        include_bytes!("../../demo/corporate_actions.csv.gz"),
    ),
];

/// The demo's market data: embedded, or a folder of the same layout.
#[derive(Clone, Debug, Default)]
pub struct DemoFiles {
    folder: Option<PathBuf>,
}

impl DemoFiles {
    /// The embedded data.
    pub fn embedded() -> DemoFiles {
        DemoFiles::default()
    }

    /// A folder with `prices/*.csv`, `fx/ecb_eur.csv` and `corporate_actions.csv`.
    pub fn in_folder(folder: impl Into<PathBuf>) -> DemoFiles {
        DemoFiles {
            folder: Some(folder.into()),
        }
    }

    /// The folder that `CELERIAC_DATA` names, or the embedded data.
    pub fn from_env() -> DemoFiles {
        DemoFiles {
            folder: std::env::var_os(VARIABLE)
                .filter(|folder| !folder.is_empty())
                .map(PathBuf::from),
        }
    }

    /// A file's bytes.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>> {
        match &self.folder {
            Some(folder) => {
                let path = folder.join(name);
                std::fs::read(&path).map_err(|source| Error::File { path, source })
            }
            None => unpack(name),
        }
    }
}

fn unpack(name: &str) -> Result<Vec<u8>> {
    let packed = EMBEDDED
        .iter()
        .find(|(path, _)| *path == name)
        .map(|(_, bytes)| *bytes)
        .unwrap_or_default();
    let mut bytes = Vec::new();
    let read = GzDecoder::new(packed).read_to_end(&mut bytes);
    read.map_err(|source| Error::File {
        path: PathBuf::from(name),
        source,
    })?;
    Ok(bytes)
}
