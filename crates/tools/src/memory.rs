//! Memory: how much there is for the job, and how many programs the kernel has killed for want of it. Control groups of
//! version 1 and 2.
//!
//! Source: the kernel's `Documentation/admin-guide/cgroup-v2.rst` (memory.max, memory.current, memory.events) and
//! `cgroup-v1/memory.rst` (memory.limit_in_bytes, memory.oom_control), `proc(5)` (meminfo, vmstat).

use std::{
    fs,
    path::{Path, PathBuf},
};

/// How many programs the kernel has killed for want of memory: in this job's control group and on the whole machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kills {
    group: Option<u64>,
    machine: Option<u64>,
}

/// The memory that the job may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Bytes in all: the machine's, or the job's own limit where that is less.
    pub total: u64,
    /// Bytes that can be had now.
    pub available: u64,
}

impl Kills {
    /// The counts now.
    pub fn now() -> Kills {
        let group = groups().first().and_then(|group| {
            group
                .number("memory.events", "oom_kill")
                .or_else(|| group.number("memory.oom_control", "oom_kill"))
        });
        Kills { group, machine: number(Path::new("/proc/vmstat"), "oom_kill") }
    }

    /// How many there were in the job's own control group since `before`; `None` where the kernel does not count them for
    /// the group. What else the kernel killed on this machine says nothing of the job.
    pub fn since(&self, before: &Kills) -> Option<u64> {
        Some(self.group?.saturating_sub(before.group?))
    }

    /// How many there were on the whole machine since `before`, whoever's they are.
    pub fn on_machine_since(&self, before: &Kills) -> u64 {
        self.machine.unwrap_or(0).saturating_sub(before.machine.unwrap_or(u64::MAX))
    }

    #[cfg(test)]
    pub(crate) fn of(group: Option<u64>, machine: Option<u64>) -> Kills {
        Kills { group, machine }
    }
}

impl Memory {
    /// What there is now; `None` where the kernel does not say.
    pub fn now() -> Option<Memory> {
        let info = Path::new("/proc/meminfo");
        let kib = |name| number(info, name).map(|kib| kib * 1024);
        let mut memory = Memory { total: kib("MemTotal:")?, available: kib("MemAvailable:")? };
        // A group is bound by every group around it.
        for group in groups() {
            let Some(limit) = group.limit() else { continue };
            // What is cached of files can be had again.
            let used = group.used().unwrap_or(0).saturating_sub(group.cached().unwrap_or(0));
            memory.total = memory.total.min(limit);
            memory.available = memory.available.min(limit.saturating_sub(used));
        }
        Some(memory)
    }
}

/// A control group's folder.
struct Group(PathBuf);

impl Group {
    fn number(&self, file: &str, key: &str) -> Option<u64> {
        number(&self.0.join(file), key)
    }

    fn value(&self, file: &str) -> Option<u64> {
        fs::read_to_string(self.0.join(file)).ok()?.trim().parse().ok()
    }

    fn limit(&self) -> Option<u64> {
        // `max` is no number. Version 1 says a huge one instead.
        self.value("memory.max")
            .or_else(|| self.value("memory.limit_in_bytes"))
            .filter(|limit| *limit < 1 << 60)
    }

    fn used(&self) -> Option<u64> {
        self.value("memory.current").or_else(|| self.value("memory.usage_in_bytes"))
    }

    fn cached(&self) -> Option<u64> {
        self.number("memory.stat", "inactive_file")
            .or_else(|| self.number("memory.stat", "total_inactive_file"))
    }
}

/// This process's groups for memory, its own first, then those around it.
fn groups() -> Vec<Group> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    for (mount, path) in places(&own) {
        let start = mount.join(path.trim_start_matches('/'));
        // In a container the path can be one of the outside; the mount itself is the group then.
        let start = if start.is_dir() { start } else { mount.clone() };
        let has = |folder: &Path| {
            ["memory.current", "memory.usage_in_bytes"].iter().any(|name| folder.join(name).exists())
        };
        let groups: Vec<Group> = start
            .ancestors()
            .take_while(|folder| folder.starts_with(&mount))
            .filter(|folder| has(folder))
            .map(|folder| Group(folder.to_owned()))
            .collect();
        if !groups.is_empty() {
            return groups;
        }
    }
    Vec::new()
}

/// Where the groups of `/proc/self/cgroup` are mounted: version 1's memory first, then version 2.
fn places(text: &str) -> Vec<(PathBuf, String)> {
    let line = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        Some((controllers.to_owned(), path.to_owned()))
    };
    let lines: Vec<(String, String)> = text.lines().filter_map(line).collect();
    let first = lines.iter().filter(|(c, _)| c.split(',').any(|c| c == "memory"));
    let first = first.map(|(_, path)| (PathBuf::from("/sys/fs/cgroup/memory"), path.clone()));
    let second = lines.iter().filter(|(c, _)| c.is_empty());
    let second = second.map(|(_, path)| (PathBuf::from("/sys/fs/cgroup"), path.clone()));
    first.chain(second).collect()
}

/// The number behind `key` in a file of lines.
fn number(file: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let value = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next()? == key).then(|| words.next()?.parse().ok()).flatten()
    };
    text.lines().find_map(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;

    #[test]
    fn groups_of_both_versions_are_found() {
        let both = "9:name=systemd:/\n4:memory:/jobs/7\n1:cpu:/\n0::/unified\n";
        let expected = [("/sys/fs/cgroup/memory", "/jobs/7"), ("/sys/fs/cgroup", "/unified")];
        assert_eq!(places(both), expected.map(|(mount, path)| (PathBuf::from(mount), path.to_owned())));
    }

    #[test]
    fn there_is_memory_and_no_more_of_it_available_than_in_all() {
        let memory = Memory::now().unwrap();
        assert!(memory.available > 0 && memory.available <= memory.total, "{memory:?}");
    }

    #[test]
    fn only_what_came_since_counts() {
        let before = Kills::of(Some(1), Some(10));
        assert_eq!(Kills::of(Some(1), Some(10)).since(&before), Some(0));
        assert_eq!(Kills::of(Some(3), Some(12)).since(&before), Some(2));
        assert_eq!(Kills::default().since(&before), None);
        assert_eq!(Kills::of(None, Some(12)).on_machine_since(&before), 2);
        assert_eq!(Kills::of(None, Some(12)).on_machine_since(&Kills::default()), 0);
    }

    #[test]
    fn another_container_s_kill_is_not_the_job_s() {
        let before = Kills::of(Some(1), Some(10));
        assert_eq!(Kills::of(Some(1), Some(11)).since(&before), Some(0));
    }
}
