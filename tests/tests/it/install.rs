//! `make install`'s script, into a folder of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use testkit::{TempDir, bin, workspace_root};

const PROGRAMS: [&str; 4] = [
    "celeriac",
    "celeriac-beat",
    "celeriac-worker-analytics",
    "celeriac-worker-maintenance",
];

fn install(destination: &Path) {
    let built = TempDir::new().unwrap();
    for program in PROGRAMS {
        fs::write(built.path().join(program), "#!/bin/sh\n").unwrap();
    }
    let status = Command::new(workspace_root().join("scripts/install.sh"))
        .arg(built.path())
        .env("PREFIX", "/opt/celeriac")
        .env("DESTDIR", destination)
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn programs_units_and_example_settings_arrive_under_the_prefix() {
    let destination = TempDir::new().unwrap();
    install(destination.path());
    for program in PROGRAMS {
        let path = destination.path().join("opt/celeriac/bin").join(program);
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o755
        );
    }
    let units = destination.path().join("etc/systemd/system");
    let worker = fs::read_to_string(units.join("celery-worker@.service")).unwrap();
    assert!(
        worker.contains("\nExecStart=/opt/celeriac/bin/celeriac worker -Q %i\n"),
        "{worker}"
    );
    assert!(units.join("celery.target").is_file());
    let example = destination.path().join("etc/celeriac/celeriac.env.example");
    assert!(
        fs::read_to_string(example)
            .unwrap()
            .contains("CELERY_BROKER_URL=")
    );
}

#[test]
fn the_shipped_settings_arrive_once_and_are_understood() {
    let destination = TempDir::new().unwrap();
    install(destination.path());
    let settings = destination.path().join("etc/celeriac/celeriac.toml");
    let output = Command::new(bin("celeriac"))
        .current_dir(destination.path())
        .args(["--config", settings.to_str().unwrap(), "schedule", "list"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("refresh-portfolio-analytics-hourly"),
        "{text}"
    );
    fs::write(&settings, "# edited").unwrap();
    install(destination.path());
    assert_eq!(fs::read_to_string(&settings).unwrap(), "# edited");
}
