//! Paths that must stay in a folder, links followed.

use std::io;
use std::path::{Component, Path, PathBuf};

/// `asked`, from `root` on if it is relative, with all links followed, if that lies in `root`. Its last parts need not exist.
pub(super) fn resolve(root: &Path, asked: &Path) -> Option<PathBuf> {
    let root = real(root)?;
    real(&root.join(asked)).filter(|path| path.starts_with(&root))
}

/// The path with the links of its existing part followed.
fn real(path: &Path) -> Option<PathBuf> {
    match path.canonicalize() {
        Ok(real) => Some(real),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A link to nowhere is not followed by what creates the path later.
            let dangling = path.symlink_metadata().is_ok();
            let last = match path.components().next_back()? {
                Component::Normal(last) if !dangling => last,
                _ => return None,
            };
            Some(real(path.parent()?)?.join(last))
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_leads_out_of_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("in")).unwrap();
        symlink("/etc", root.join("out")).unwrap();
        symlink("/nowhere/at/all", root.join("dangling")).unwrap();
        let inside = |asked: &str| resolve(&root, Path::new(asked)).is_some();
        for good in ["", "in", "in/../in", "new", "new/deeper", "in/./new"] {
            assert!(inside(good), "{good}");
        }
        for bad in [
            "/etc",
            "..",
            "../..",
            "out",
            "out/passwd",
            "dangling",
            "new/../..",
            "../root2",
        ] {
            assert!(!inside(bad), "{bad}");
        }
    }

    #[test]
    fn a_root_that_does_not_exist_yet_is_a_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("later");
        let found = resolve(&root, Path::new("a")).unwrap();
        assert!(found.ends_with("later/a"));
    }
}
