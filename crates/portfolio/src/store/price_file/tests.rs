#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::thread;

use jiff::civil::date;
use tempfile::TempDir;

use super::{NewFile, PriceFile, Stamp, beside};
use crate::carried::Carried;
use crate::decimal::Decimal;

const TOKEN: [u8; 16] = [7; 16];

fn stamp(revision: i64) -> Stamp {
    Stamp {
        revision,
        last: Some(date(2024, 1, 31)),
    }
}

fn closes(first: i64) -> Carried<Decimal> {
    let close = |day: i8| {
        (
            date(2024, 1, day),
            Decimal::from_int(first + i64::from(day)),
        )
    };
    (1..=31).map(close).collect()
}

fn write(path: &Path, assets: &[i64]) {
    let mut new = NewFile::default();
    for id in assets {
        new.add(*id, stamp(id * 10), &closes(*id));
    }
    new.write(path, TOKEN).unwrap();
}

fn is_whole(path: &Path, assets: &[i64]) -> bool {
    let Ok(Some(mut file)) = PriceFile::open(path, TOKEN) else {
        return false;
    };
    assets.iter().all(|id| {
        let read = file.closes(*id).ok().flatten();
        let written = closes(*id);
        let same = read.is_some_and(|read| read.iter().eq(written.iter()));
        same && file.stamp(*id) == Some(stamp(id * 10))
    })
}

#[test]
fn assets_are_found_again() {
    let folder = TempDir::new().unwrap();
    let path = beside(&folder.path().join("a.db"));
    assert!(PriceFile::open(&path, TOKEN).unwrap().is_none());
    write(&path, &[1, 2, 3]);
    assert!(is_whole(&path, &[1, 2, 3]));
    assert!(PriceFile::open(&path, [8; 16]).unwrap().is_none());
    let mut file = PriceFile::open(&path, TOKEN).unwrap().unwrap();
    assert_eq!((file.len(), file.stamp(4)), (3, None));
    assert!(file.closes(4).unwrap().is_none());
}

#[test]
fn other_assets_of_an_older_file_are_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("prices");
    write(&path, &[1, 2]);
    let mut new = NewFile::default();
    new.add(2, stamp(20), &closes(2));
    new.add(3, stamp(30), &closes(3));
    let older = PriceFile::open(&path, TOKEN).unwrap().unwrap();
    new.add_others(older).unwrap();
    new.write(&path, TOKEN).unwrap();
    assert!(is_whole(&path, &[1, 2, 3]));
}

#[test]
fn a_file_that_is_cut_off_or_damaged_is_never_taken_for_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("prices");
    write(&path, &[1, 2]);
    let bytes = fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(7) {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(!is_whole(&path, &[1, 2]), "cut off after {length} bytes");
    }
    for place in (0..bytes.len()).step_by(5) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        assert!(!is_whole(&path, &[1, 2]), "byte {place} is another one");
    }
    fs::write(&path, "<html>").unwrap();
    assert!(PriceFile::open(&path, TOKEN).is_err());
}

#[test]
fn processes_that_write_at_once_leave_a_whole_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("prices");
    write(&path, &[1, 2]);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..50).for_each(|_| write(&path, &[1, 2])));
        }
        for _ in 0..100 {
            assert!(is_whole(&path, &[1, 2]));
        }
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
