//! What the system knows of a process: how much memory it has, and where it hangs.

use std::fmt::Write as _;
use std::fs;

/// Lines of `status` worth telling.
const STATUS: [&str; 5] = ["State", "Threads", "VmRSS", "VmHWM", "SigQ"];

/// The resident memory in KiB; `None` when the process is gone.
pub(super) fn memory(pid: u32) -> Option<u64> {
    let status = read(pid, "status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Where a process hangs, as far as the system tells: its state, and for each thread its state, what it waits for in the kernel and
/// its system call. Tells less when the process belongs to somebody else, and nothing when it is gone.
pub(super) fn report(pid: u32) -> String {
    let mut text = format!("process {pid}");
    let status = read(pid, "status").unwrap_or_default();
    for line in status.lines() {
        let name = line.split(':').next().unwrap_or_default();
        if STATUS.contains(&name) {
            let _ = write!(text, "\n  {}", line.replace('\t', " "));
        }
    }
    for thread in threads(pid) {
        let at = |file: &str| read(pid, &format!("task/{thread}/{file}")).unwrap_or_default();
        let _ = write!(
            text,
            "\n  thread {thread} {} {}, waits in {}, system call {}",
            at("comm").trim(),
            state(&at("stat")),
            or_nothing(at("wchan").trim()),
            or_nothing(at("syscall").trim()),
        );
        for frame in at("stack").lines() {
            let _ = write!(text, "\n    {frame}");
        }
    }
    text
}

/// The state's letter, after the name in brackets, which may hold anything.
fn state(stat: &str) -> &'static str {
    let letter = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    match letter {
        Some('R') => "runs",
        Some('S') => "sleeps",
        Some('D') => "waits for a device",
        Some('T' | 't') => "is stopped",
        Some('Z' | 'X') => "is dead",
        _ => "is in an unknown state",
    }
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() || text == "0" {
        "nothing"
    } else {
        text
    }
}

fn threads(pid: u32) -> Vec<String> {
    let listed = fs::read_dir(format!("/proc/{pid}/task"));
    let names = listed.into_iter().flatten().flatten();
    names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

fn read(pid: u32, file: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/{file}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_process_is_described() {
        let own = std::process::id();
        assert!(memory(own).is_some_and(|kib| kib > 100));
        let report = report(own);
        assert!(report.contains("VmRSS"), "{report}");
        assert!(report.contains("thread"), "{report}");
    }

    #[test]
    fn a_process_that_is_gone_has_no_memory() {
        assert_eq!(memory(u32::MAX), None);
        assert_eq!(report(u32::MAX), format!("process {}", u32::MAX));
    }

    #[test]
    fn a_name_with_brackets_does_not_hide_the_state() {
        assert_eq!(state("12 (a) (b) S 1 2"), "sleeps");
    }
}
