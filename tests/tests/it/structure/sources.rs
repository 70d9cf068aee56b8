//! Rules about the text of the sources and of everything else in the project.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::workspace_root;

use super::assert_none;
use super::workspace::{find, packages};

const MAIN_LINES: usize = 40;
const FILE_LINES: usize = 600;
/// What is not the project's own: built, installed or generated.
const FOREIGN_FOLDERS: [&str; 6] = [".git", ".scratch", ".venv", "__pycache__", "data", "target"];

/// All files below `folder` that belong to the project. `data` is left out at the root only, where the
/// programs put theirs.
fn files(folder: &Path) -> Vec<PathBuf> {
    let root = workspace_root();
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            if kind.is_file() {
                found.push(path);
            } else if kind.is_dir() && !is_foreign(&path, &root) {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

fn is_foreign(folder: &Path, root: &Path) -> bool {
    let name = folder.file_name().unwrap().to_string_lossy();
    FOREIGN_FOLDERS.contains(&name.as_ref()) && (name != "data" || folder.parent() == Some(root))
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

fn is_test(path: &Path) -> bool {
    path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests")
}

/// Path from the workspace's root, for messages and for rules about paths.
fn relative(path: &Path) -> PathBuf {
    path.strip_prefix(workspace_root()).unwrap().to_path_buf()
}

/// The places, as `file:line`, where `unwanted` accepts a line of one of the `files`. Files that are not
/// text are passed over.
fn lines_where(files: &[PathBuf], unwanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut places = Vec::new();
    for path in files {
        let bytes = fs::read(path).unwrap();
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            if unwanted(line) {
                places.push(format!("{}:{}", relative(path).display(), index + 1));
            }
        }
    }
    places
}

/// Whether `line` has `word` where no longer name contains it.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        !line[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_')
    })
}

fn rust_files() -> Vec<PathBuf> {
    let mut all = files(&workspace_root());
    all.retain(|path| is_rust(path));
    all
}

#[test]
fn main_files_are_thin() {
    let mut violations = Vec::new();
    for program in packages().into_iter().flat_map(|package| package.programs) {
        let lines = fs::read_to_string(&program).unwrap().lines().count();
        if lines > MAIN_LINES {
            violations.push(format!("{}: {lines}", relative(&program).display()));
        }
    }
    assert_none("main files of more than 40 lines", violations);
}

#[test]
fn files_stay_below_their_bound() {
    let mut violations = Vec::new();
    for path in rust_files() {
        let path_in_project = relative(&path);
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > FILE_LINES && !is_test(&path_in_project) {
            violations.push(format!("{}: {lines}", path_in_project.display()));
        }
    }
    assert_none("files of more than 600 lines", violations);
}

#[test]
fn the_composition_root_is_named_in_main_files_only() {
    let mut sources = Vec::new();
    for name in ["beat", "tasks-analytics", "tasks-maintenance"] {
        let package = find(name);
        let mut own = files(&package.source_folder());
        // A program of several files has a folder of its own below src/bin.
        let programs = package.source_folder().join("bin");
        own.retain(|path| {
            is_rust(path) && !path.starts_with(&programs) && !package.programs.contains(path)
        });
        sources.extend(own);
    }
    let violations = lines_where(&sources, |line| has_word(line, "service::"));
    assert_none("service is named outside a main file", violations);
}

#[test]
fn the_protocol_touches_neither_clock_nor_system() {
    const SYSTEM: [&str; 8] = [
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "SystemTime::now",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
    ];
    let mut sources = files(&find("protocol").source_folder());
    sources.retain(|path| is_rust(path) && !is_test(&relative(path)));
    let violations = lines_where(&sources, |line| {
        SYSTEM.iter().any(|name| has_word(line, name))
    });
    assert_none("the protocol is not pure", violations);
}

#[test]
fn nothing_is_left_unfinished() {
    // Put together here, so that this file does not hold what it looks for.
    let macros = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let violations = lines_where(&rust_files(), |line| {
        macros.iter().any(|name| has_word(line, name))
    });
    assert_none("unfinished code", violations);
}

#[test]
fn no_path_of_one_machine_is_mentioned() {
    let folders = ["root", "work"].map(|name| format!("/{name}/"));
    let shared = format!("../{}", "shared");
    let violations = lines_where(&files(&workspace_root()), |line| {
        line.contains(&shared) || folders.iter().any(|folder| has_word(line, folder))
    });
    assert_none("paths of one machine", violations);
}

#[test]
fn a_word_is_not_found_inside_a_longer_one() {
    assert!(has_word("use service::open;", "service::"));
    assert!(!has_word("use my_service::open;", "service::"));
    assert!(has_word("microservice::a, service::b", "service::"));
}
