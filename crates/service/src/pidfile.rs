//! A file with the process's number, for those who manage processes by such files.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::Error;

/// The file; removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Pidfile(PathBuf);

impl Pidfile {
    /// Writes it. A file of a process that is gone is replaced.
    ///
    /// # Errors
    /// When its process lives, or it cannot be written.
    pub(crate) fn write(path: PathBuf) -> Result<Self, Error> {
        let own = process::id();
        if let Some(other) = read(&path).filter(|other| *other != own && lives(*other)) {
            return Err(Error::Usage(format!(
                "--pidfile {}: process {other} runs already",
                path.display()
            )));
        }
        let written = fs::write(&path, format!("{own}\n"));
        written.map_err(|source| Error::WriteFile {
            path: path.clone(),
            source,
        })?;
        Ok(Self(path))
    }
}

impl Drop for Pidfile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %self.0.display(), "the pidfile cannot be removed");
        }
    }
}

fn read(path: &PathBuf) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Whether there is such a process, ours or not.
fn lives(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else {
        return false;
    };
    pid > 0 && !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_once_and_removed() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("worker.pid");
        let file = Pidfile::write(path.clone()).unwrap();
        assert_eq!(read(&path), Some(process::id()));
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn one_of_a_living_process_is_left_alone_and_one_of_a_dead_one_is_not() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("worker.pid");
        fs::write(&path, "1\n").unwrap();
        assert!(Pidfile::write(path.clone()).is_err());
        assert_eq!(read(&path), Some(1));
        fs::write(&path, format!("{}\n", i32::MAX)).unwrap();
        assert!(Pidfile::write(path.clone()).is_ok());
        fs::write(&path, "no number").unwrap();
        assert!(Pidfile::write(path).is_ok());
    }
}
