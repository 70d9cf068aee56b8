//! Files that are there whole or not at all: a temporary name, synced, renamed.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Artefact {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Of its content, hexadecimal.
    pub sha256: String,
}

/// Writes a file of this name into a folder, which is made where there is none. `write` may write as much as it likes;
/// when it fails, or the disk is full, nothing is left.
///
/// # Errors
/// A name that is not a plain file name, a full disk, a folder that cannot be written, or what `write` returns.
pub fn store(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<Artefact> {
    let path = place(folder, name)?;
    let failed = |source: io::Error| failure(&path, source);
    fs::create_dir_all(folder).map_err(failed)?;
    let temporary = NamedTempFile::with_prefix_in(".part-", folder).map_err(failed)?;
    let mut output = Counted::new(temporary.as_file());
    write(&mut output).map_err(|error| match error {
        Error::Write(source) => failed(source),
        other => other,
    })?;
    let (bytes, sha256) = output.finish().map_err(failed)?;
    temporary.as_file().sync_all().map_err(failed)?;
    temporary
        .persist(&path)
        .map_err(|error| failed(error.error))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    Ok(Artefact {
        path,
        bytes,
        sha256,
    })
}

/// Whether a file is there with this size and this content.
pub fn is_whole(path: &Path, bytes: u64, sha256: &str) -> bool {
    content_of(path).is_ok_and(|found| found == (bytes, sha256.to_owned()))
}

fn content_of(path: &Path) -> io::Result<(u64, String)> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let (mut bytes, mut hash) = (0, Sha256::new());
    loop {
        let chunk = file.fill_buf()?;
        if chunk.is_empty() {
            return Ok((bytes, hex::encode(hash.finalize())));
        }
        hash.update(chunk);
        let read = chunk.len();
        bytes += read as u64;
        file.consume(read);
    }
}

/// The hash of several texts, hexadecimal: what an artefact was made of.
pub fn hash_of<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// A text as part of a file name: letters and digits of any script stay, everything else becomes one hyphen.
pub fn file_stem(text: &str) -> String {
    const LONGEST: usize = 60;
    let kept = text
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' });
    let words: String = kept.take(LONGEST).collect();
    let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        "portfolio".to_owned()
    } else {
        words.join("-")
    }
}

fn place(folder: &Path, name: &str) -> Result<PathBuf> {
    let mut components = Path::new(name).components();
    let plain = matches!((components.next(), components.next()), (Some(Component::Normal(part)), None) if part == name);
    if !plain || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return Err(Error::Name {
            name: name.to_owned(),
        });
    }
    Ok(folder.join(name))
}

fn failure(path: &Path, source: io::Error) -> Error {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Error::DiskFull { path, source }
        }
        _ => Error::File { path, source },
    }
}

/// Counts and hashes what passes.
struct Counted<'f> {
    file: BufWriter<&'f File>,
    bytes: u64,
    hash: Sha256,
}

impl<'f> Counted<'f> {
    fn new(file: &'f File) -> Counted<'f> {
        Counted {
            file: BufWriter::new(file),
            bytes: 0,
            hash: Sha256::new(),
        }
    }

    fn finish(mut self) -> io::Result<(u64, String)> {
        self.file.flush()?;
        Ok((self.bytes, hex::encode(self.hash.finalize())))
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hash.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_has_its_size_and_hash() {
        let folder = tempfile::tempdir().unwrap();
        let write = |output: &mut dyn Write| output.write_all(b"abc").map_err(Error::Write);
        let artefact = store(folder.path(), "Ελλάδα 漢字.csv", write).unwrap();
        assert_eq!(artefact.bytes, 3);
        assert_eq!(
            artefact.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(fs::read(&artefact.path).unwrap(), b"abc");
        let Artefact { path, sha256, .. } = &artefact;
        assert!(is_whole(path, 3, sha256));
        assert!(!is_whole(path, 4, sha256));
        assert!(!is_whole(folder.path(), 3, sha256));
        fs::write(path, b"abd").unwrap();
        assert!(!is_whole(path, 3, sha256));
        fs::write(path, b"abc").unwrap();
        assert_eq!(names(folder.path()), ["Ελλάδα 漢字.csv"]);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let old = |output: &mut dyn Write| output.write_all(b"old").map_err(Error::Write);
        store(folder.path(), "report.csv", old).unwrap();
        let full = |output: &mut dyn Write| {
            output.write_all(b"half").map_err(Error::Write)?;
            Err(Error::Write(io::Error::from(ErrorKind::StorageFull)))
        };
        let error = store(folder.path(), "report.csv", full).unwrap_err();
        assert!(matches!(error, Error::DiskFull { .. }), "{error}");
        assert_eq!(names(folder.path()), ["report.csv"]);
        assert_eq!(fs::read(folder.path().join("report.csv")).unwrap(), b"old");
    }

    #[test]
    fn names_stay_in_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "",
            ".",
            "..",
            "../x.csv",
            "/etc/passwd",
            "a/b.csv",
            ".hidden",
            "a\\b",
        ] {
            let error = store(folder.path(), name, |_| Ok(())).unwrap_err();
            assert!(matches!(error, Error::Name { .. }), "{name}: {error}");
        }
        assert_eq!(file_stem("../../Müller & Søn"), "Müller-Søn");
        assert_eq!(file_stem("///"), "portfolio");
    }
}
