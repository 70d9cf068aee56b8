//! The units as systemd itself reads them: no complaint, and little exposure.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::{TempDir, workspace_root};

/// The units as they are started: the template as an instance.
const UNITS: [&str; 4] = [
    "celery-worker.service",
    "celery-worker@analytics.service",
    "celery-beat.service",
    "celery.target",
];
const SERVICES: [&str; 3] = [
    "celery-worker.service",
    "celery-worker@.service",
    "celery-beat.service",
];
/// `systemd-analyze security` in tenths: 0 is no exposure, 100 everything.
const EXPOSURE: u32 = 20;
/// The first systemd that knows the keys of the drop-in.
const BACKOFF_SINCE: u32 = 254;

fn source() -> PathBuf {
    workspace_root().join("systemd")
}

/// The units in a temporary folder, with a program that exists in the place of each of ours.
fn units() -> TempDir {
    let folder = TempDir::new().unwrap();
    for entry in fs::read_dir(source()).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let text = text
            .replace("/usr/bin/celeriac-beat", "/bin/true")
            .replace("/usr/bin/celeriac", "/bin/true");
        fs::write(folder.path().join(path.file_name().unwrap()), text).unwrap();
    }
    if systemd_version() >= BACKOFF_SINCE {
        let drop_ins = folder.path().join("celery-.service.d");
        fs::create_dir(&drop_ins).unwrap();
        fs::rename(
            folder.path().join("restart-backoff.conf"),
            drop_ins.join("restart-backoff.conf"),
        )
        .unwrap();
    }
    folder
}

fn analyze(folder: &Path, args: &[&str]) -> (bool, String) {
    let output = Command::new("systemd-analyze")
        .args(args)
        .current_dir(folder)
        .env("LC_ALL", "C")
        .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.display()))
        .output()
        .expect("systemd-analyze is not installed and this test needs it: run `make setup` or `apt-get install systemd`");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// The number in `systemd 252 (252.38-1~deb12u1)`.
fn systemd_version() -> u32 {
    let (_, text) = analyze(Path::new("/"), &["--version"]);
    text.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The lines of `systemd-analyze verify` that are about our units.
fn complaints(folder: &Path) -> Vec<String> {
    let (_, text) = analyze(folder, &[&["verify", "--man=no"], &UNITS[..]].concat());
    text.lines()
        .filter(|line| line.contains("celery"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn systemd_has_no_complaint_about_the_units() {
    let folder = units();
    assert_eq!(complaints(folder.path()), Vec::<String>::new());
}

#[test]
fn a_mistake_in_a_unit_would_be_seen() {
    let folder = units();
    let unit = folder.path().join("celery-worker@.service");
    let text = fs::read_to_string(&unit).unwrap();
    fs::write(&unit, text.replace("WatchdogSec", "WatchdogSeconds")).unwrap();
    let found = complaints(folder.path());
    assert!(
        found.iter().any(|line| line.contains("WatchdogSeconds")),
        "{found:?}"
    );
}

#[test]
fn the_services_are_hardened() {
    let folder = units();
    for service in SERVICES {
        let threshold = format!("--threshold={EXPOSURE}");
        let args = [
            "security",
            "--offline=true",
            "--no-pager",
            &threshold,
            service,
        ];
        let (passed, report) = analyze(folder.path(), &args);
        assert!(report.contains("Overall exposure level"), "{report}");
        assert!(
            passed,
            "{service} is more exposed than {EXPOSURE} of 100:\n{report}"
        );
    }
}

#[test]
fn the_programs_of_the_units_are_ours() {
    let started: Vec<_> = SERVICES
        .iter()
        .flat_map(|service| {
            let text = fs::read_to_string(source().join(service)).unwrap();
            text.lines()
                .filter_map(|line| line.strip_prefix("ExecStart="))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let expected = [
        "/usr/bin/celeriac worker",
        "/usr/bin/celeriac worker -Q %i",
        "/usr/bin/celeriac-beat",
    ];
    assert_eq!(started, expected);
}
