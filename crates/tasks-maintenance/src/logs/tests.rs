use std::io::Read;

use flate2::read::GzDecoder;
use tempfile::TempDir;

use super::*;

const POLICY: Policy = Policy {
    compress_after_days: 7,
    delete_after_days: 30,
    dry_run: false,
};

fn file(folder: &TempDir, name: &str, age_days: u32) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().expect("the path has a folder"))
        .expect("the folder can be made");
    fs::write(&path, name.repeat(100)).expect("the file can be written");
    let modified = SystemTime::now() - DAY * age_days;
    File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_modified(modified))
        .expect("the time can be set");
    path
}

fn clean_now(folder: &TempDir, policy: Policy) -> Summary {
    let (summary, failures) =
        clean(folder.path(), policy, SystemTime::now()).expect("the folder can be read");
    assert!(failures.is_empty(), "{failures:?}");
    summary
}

#[test]
fn compresses_after_one_age_and_deletes_after_another() {
    let folder = TempDir::new().expect("a folder");
    let young = file(&folder, "young.log", 1);
    let middle = file(&folder, "sub/middle.log.1", 10);
    let old = file(&folder, "old.log", 40);
    let other = file(&folder, "notes.txt", 400);

    let summary = clean_now(&folder, POLICY);

    assert_eq!(
        (summary.scanned, summary.compressed, summary.deleted),
        (3, 1, 1)
    );
    assert!(young.exists() && other.exists() && !old.exists() && !middle.exists());
    let mut text = String::new();
    let compressed = File::open(with_suffix(&middle, ".gz")).expect("the compressed log is there");
    GzDecoder::new(compressed)
        .read_to_string(&mut text)
        .expect("it is gzip");
    assert_eq!(text, "sub/middle.log.1".repeat(100));
}

#[test]
fn a_second_run_finds_nothing_to_do_and_age_goes_on_counting() {
    let folder = TempDir::new().expect("a folder");
    file(&folder, "a.log", 10);
    clean_now(&folder, POLICY);
    let second = clean_now(&folder, POLICY);
    assert_eq!(
        (second.scanned, second.compressed, second.deleted),
        (1, 0, 0)
    );
    let (third, _) =
        clean(folder.path(), POLICY, SystemTime::now() + DAY * 25).expect("the folder can be read");
    assert_eq!(third.deleted, 1);
}

#[test]
fn a_log_that_is_open_stays() {
    let folder = TempDir::new().expect("a folder");
    let path = file(&folder, "held.log", 40);
    let held = File::open(&path).expect("the log can be opened");
    let summary = clean_now(&folder, POLICY);
    assert_eq!((summary.kept_open, summary.deleted), (1, 0));
    drop(held);
    assert_eq!(clean_now(&folder, POLICY).deleted, 1);
}

#[test]
fn a_dry_run_changes_nothing() {
    let folder = TempDir::new().expect("a folder");
    let (middle, old) = (
        file(&folder, "middle.log", 10),
        file(&folder, "old.log", 40),
    );
    let summary = clean_now(
        &folder,
        Policy {
            dry_run: true,
            ..POLICY
        },
    );
    assert_eq!(
        (summary.compressed, summary.deleted, summary.dry_run),
        (1, 1, true)
    );
    assert!(middle.exists() && old.exists());
}

#[test]
fn links_are_not_followed() {
    let (folder, outside) = (
        TempDir::new().expect("a folder"),
        TempDir::new().expect("a folder"),
    );
    let target = file(&outside, "target.log", 40);
    std::os::unix::fs::symlink(&target, folder.path().join("link.log"))
        .expect("a link can be made");
    std::os::unix::fs::symlink(outside.path(), folder.path().join("linked"))
        .expect("a link can be made");
    assert_eq!(clean_now(&folder, POLICY), Summary::default());
    assert!(target.exists());
}

#[test]
fn a_missing_folder_is_an_error() {
    let folder = TempDir::new().expect("a folder");
    assert!(clean(&folder.path().join("none"), POLICY, SystemTime::now()).is_err());
}
