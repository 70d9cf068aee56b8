//! `micro`: criterion's benches of the pure parts (messages, arguments, crontabs), and how long Celery's own code takes for the same.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::cargo;
use crate::lab::Lab;
use crate::setup::Setup;

/// The benches, by package.
const BENCHES: [(&str, &str); 3] = [
    ("protocol", "message"),
    ("worker", "bind"),
    ("beat", "crontab"),
];
/// Seconds; these loops are short and steady.
const MEASURING: [&str; 4] = ["--warm-up-time", "0.5", "--measurement-time", "2"];
/// Where criterion keeps its figures, instead of in the target folder.
const HOME: &str = "CRITERION_HOME";

/// One of the parts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MicroRow {
    /// Criterion's group and function, `message/encode_small`.
    pub(crate) name: String,
    /// How long it takes, in nanoseconds.
    pub(crate) ns: f64,
    /// How long Celery takes for it.
    pub(crate) celery_ns: Option<f64>,
}

/// What is read of criterion's `estimates.json`; nanoseconds.
#[derive(Debug, Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Debug, Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// Measures; builds the benches if need be.
pub(crate) fn run(lab: &Lab) -> anyhow::Result<Vec<MicroRow>> {
    let folder = lab.new_folder()?;
    let mut arguments = vec!["bench"];
    for (package, bench) in BENCHES {
        arguments.extend(["-p", package, "--bench", bench]);
    }
    arguments.push("--");
    arguments.extend(MEASURING);
    cargo::run(&arguments, &[(HOME, folder.as_os_str())])?;
    let mut rows = read(&folder)?;
    let celerys = celerys(lab)?;
    for row in &mut rows {
        row.celery_ns = celerys.get(&row.name).copied();
    }
    Ok(rows)
}

/// Criterion's medians, in alphabetical order.
fn read(folder: &Path) -> anyhow::Result<Vec<MicroRow>> {
    let mut rows = Vec::new();
    for group in folders(folder)? {
        for function in folders(&folder.join(&group))? {
            let file = folder
                .join(&group)
                .join(&function)
                .join("new/estimates.json");
            let text = fs::read(&file).with_context(|| format!("no {}", file.display()))?;
            let estimates: Estimates = serde_json::from_slice(&text)?;
            rows.push(MicroRow {
                name: format!("{group}/{function}"),
                ns: estimates.median.point_estimate,
                celery_ns: None,
            });
        }
    }
    Ok(rows)
}

fn folders(folder: &Path) -> anyhow::Result<Vec<String>> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("criterion has written no {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Nanoseconds by name; empty where Celery is not installed.
fn celerys(lab: &Lab) -> anyhow::Result<HashMap<String, f64>> {
    let Some(celery) = lab.celery() else {
        return Ok(HashMap::new());
    };
    let printed = celery.script(
        &Setup::celery(),
        "memory://",
        lab.folder(),
        "bench_micro.py",
        &[],
    )?;
    serde_json::from_str(&printed).context("bench_micro.py prints its figures")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_read_from_the_folders_of_criterion() {
        let home = testkit::TempDir::new().unwrap();
        let new = home.path().join("message/encode/new");
        fs::create_dir_all(&new).unwrap();
        let text = r#"{"mean": {"point_estimate": 9.0}, "median": {"point_estimate": 7.5}}"#;
        fs::write(new.join("estimates.json"), text).unwrap();
        let rows = read(home.path()).unwrap();
        assert_eq!((rows[0].name.as_str(), rows[0].ns), ("message/encode", 7.5));
        assert!(read(&home.path().join("nothing")).is_err());
    }
}
