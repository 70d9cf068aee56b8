//! What a process and all its descendants use: memory and CPU time, from `/proc`.

use std::collections::HashMap;
use std::time::Duration;

use procfs::process::{Process, all_processes};

/// Proportional set size of a process tree.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// MiB; what processes share is counted in parts.
    pub(crate) pss_mib: f64,
    /// How many processes.
    pub(crate) processes: usize,
}

/// The memory of the process and its descendants.
pub(crate) fn memory(root: i32) -> Memory {
    tree(root)
        .iter()
        .filter_map(pss_bytes)
        .fold(Memory::default(), |sum, bytes| Memory {
            pss_mib: sum.pss_mib + bytes as f64 / f64::from(1 << 20),
            processes: sum.processes + 1,
        })
}

/// CPU time that the process and its descendants have used, children that have ended included.
pub(crate) fn cpu(root: i32) -> Duration {
    let ticks: i64 = tree(root).iter().filter_map(cpu_ticks).sum();
    Duration::from_secs_f64(ticks as f64 / procfs::ticks_per_second() as f64)
}

fn pss_bytes(process: &Process) -> Option<u64> {
    let rollup = process.smaps_rollup().ok()?.memory_map_rollup;
    rollup.into_iter().next()?.extension.map.get("Pss").copied()
}

fn cpu_ticks(process: &Process) -> Option<i64> {
    let stat = process.stat().ok()?;
    Some(i64::try_from(stat.utime + stat.stime).ok()? + stat.cutime + stat.cstime)
}

fn tree(root: i32) -> Vec<Process> {
    let mut children: HashMap<i32, Vec<Process>> = HashMap::new();
    let mut found = Vec::new();
    // Processes that end while they are listed are left out.
    for process in all_processes().into_iter().flatten().flatten() {
        if process.pid() == root {
            found.push(process);
        } else if let Ok(stat) = process.stat() {
            children.entry(stat.ppid).or_default().push(process);
        }
    }
    let mut next = 0;
    while next < found.len() {
        found.extend(children.remove(&found[next].pid()).unwrap_or_default());
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory() {
        let me = i32::try_from(std::process::id()).unwrap();
        let memory = memory(me);
        assert!(memory.pss_mib > 0.1 && memory.processes >= 1, "{memory:?}");
    }
}
