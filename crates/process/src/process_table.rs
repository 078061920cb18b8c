//! The processes of the system as `/proc` shows them: who descends from whom, and a signal that can't hit a stranger.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

/// Enough to tell a hang by; more would only bury it.
const DUMPED_PROCESSES: usize = 200;
const DUMPED_ARGV_BYTES: usize = 2048;

/// A process at the moment of looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    pub(crate) state: char,
    /// In clock ticks since boot; with the pid it names a process for good.
    pub(crate) started: u64,
}

impl Process {
    /// Looks at one process; `None` if it is gone.
    pub(crate) fn look(pid: Pid) -> Option<Self> {
        parse_stat(pid, &fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Dead, and only not yet reaped by its parent.
    pub(crate) fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }

    /// Whether both are the same process, and not one that came after the other under the same pid.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.pid, self.started) == (other.pid, other.started)
    }

    /// Whether this very process, and not another one with the same pid, still runs.
    pub(crate) fn still_runs(&self) -> bool {
        Self::look(self.pid).is_some_and(|now| now.is_same(self) && !now.is_dead())
    }

    /// Sends a signal to this very process. That it is gone, or not ours to signal, is no error: the caller looks
    /// again anyway.
    pub(crate) fn signal(&self, signal: Signal) {
        match pidfd_open(self.pid, PidfdFlags::empty()) {
            // The descriptor holds whatever has the pid now; only then is it certain whether that is the process.
            Ok(pidfd) if self.still_runs() => drop(pidfd_send_signal(pidfd, signal)),
            // Before Linux 5.3 there is no such descriptor; the window for a reused pid is then microseconds.
            Err(rustix::io::Errno::NOSYS) if self.still_runs() => drop(kill_process(self.pid, signal)),
            _ => {}
        }
    }
}

/// All processes that can be seen.
pub(crate) struct ProcessTable(Vec<Process>);

impl ProcessTable {
    /// Looks at all of them, one after another: not a snapshot, so look again before relying on an absence.
    pub(crate) fn look() -> io::Result<Self> {
        let mut processes = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let pid = entry?.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            processes.extend(pid.and_then(Process::look));
        }
        Ok(Self(processes))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Process> {
        self.0.iter()
    }

    pub(crate) fn get(&self, pid: i32) -> Option<&Process> {
        self.0.iter().find(|process| process.pid.as_raw_pid() == pid)
    }

    /// The children, grandchildren and so on of the given processes, without these; each with its depth, in the
    /// order of a tree.
    pub(crate) fn descendants(&self, roots: &[Pid]) -> Vec<(usize, Process)> {
        let mut children: HashMap<i32, Vec<&Process>> = HashMap::new();
        for process in &self.0 {
            children.entry(process.parent).or_default().push(process);
        }
        // Taking the children out means that even a table torn by reused pids can't lead in a circle.
        let mut take_children = |depth, pid: Pid, ahead: &mut Vec<(usize, Process)>| {
            let children = children.remove(&pid.as_raw_pid()).unwrap_or_default();
            ahead.extend(children.into_iter().rev().map(|child| (depth, *child)));
        };
        let mut ahead = Vec::new();
        for root in roots.iter().rev() {
            take_children(1, *root, &mut ahead);
        }
        let mut found = Vec::new();
        while let Some((depth, process)) = ahead.pop() {
            take_children(depth + 1, process.pid, &mut ahead);
            found.push((depth, process));
        }
        found
    }
}

/// Our own children, zombies too, without looking at every process of the system where the kernel allows it.
pub(crate) fn own_children() -> Vec<Pid> {
    listed_children().unwrap_or_else(|| {
        let own = rustix::process::getpid().as_raw_pid();
        let table = ProcessTable::look().map(|table| table.0).unwrap_or_default();
        table.iter().filter(|process| process.parent == own).map(|process| process.pid).collect()
    })
}

/// Text for people: one process a line, children indented, with what it waits for in the kernel.
pub(crate) fn describe(processes: &[(usize, Process)]) -> String {
    let mut text = String::from("    PID    PPID S WCHAN                COMMAND\n");
    for (depth, process) in processes.iter().take(DUMPED_PROCESSES) {
        let indent = "  ".repeat(depth.saturating_sub(1).min(20));
        // Writing to a String can't fail.
        let _ = writeln!(
            text,
            "{:>7} {:>7} {} {:<20} {indent}{}",
            process.pid.as_raw_pid(),
            process.parent,
            process.state,
            waiting_in(process.pid),
            command_line(process.pid),
        );
    }
    if let Some(more) = processes.len().checked_sub(DUMPED_PROCESSES).filter(|more| *more > 0) {
        let _ = writeln!(text, "and {more} more");
    }
    text
}

/// `None` where the kernel keeps no such list.
fn listed_children() -> Option<Vec<Pid>> {
    let list = || -> Option<Vec<Pid>> {
        let mut children = Vec::new();
        for task in fs::read_dir("/proc/self/task").ok()? {
            // A thread that ended meanwhile has handed its children on to another.
            match fs::read_to_string(task.ok()?.path().join("children")) {
                Ok(text) => children
                    .extend(text.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?))),
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {}
                Err(_) => return None,
            }
        }
        Some(children)
    };
    // The kernel may skip one when another ends while it writes the list: believe only what was read twice.
    let mut before = list()?;
    for _ in 0..8 {
        let now = list()?;
        if now == before {
            return Some(now);
        }
        before = now;
    }
    None
}

/// The fields stand after the command's name, which may itself hold spaces and parentheses.
fn parse_stat(pid: Pid, stat: &[u8]) -> Option<Process> {
    let name_end = memchr::memrchr(b')', stat)?;
    let text = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    // Field 22 of proc(5); the session is field 6.
    let started = fields.nth(15)?.parse().ok()?;
    Some(Process { pid, parent, group, session, state, started })
}

fn waiting_in(pid: Pid) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
    match text.trim() {
        "" | "0" => "-".to_owned(),
        name => printable(name.as_bytes()),
    }
}

fn command_line(pid: Pid) -> String {
    let mut argv = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    while argv.last() == Some(&0) {
        argv.pop();
    }
    if argv.is_empty() {
        let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        return format!("[{}]", printable(name.trim_ascii()));
    }
    let shown = &argv[..argv.len().min(DUMPED_ARGV_BYTES)];
    let spaced: Vec<u8> = shown.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect();
    printable(&spaced) + if shown.len() < argv.len() { " …" } else { "" }
}

/// An argument may hold anything, also newlines and escape sequences.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid(raw: i32) -> Pid {
        Pid::from_raw(raw).unwrap()
    }

    #[test]
    fn a_hostile_name_does_not_shift_the_fields() {
        let stat = b"42 (a) R 1 (b)) S 7 8 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
        let process = parse_stat(pid(42), stat).unwrap();
        assert_eq!((process.state, process.parent, process.group, process.session), ('S', 7, 8, 9));
        assert_eq!(process.started, 12345);
        for torn in [&b""[..], b"42 (a", b"42 (a)", b"42 (a) S 7 8", b"42 (a) \xff 1 1 1"] {
            assert_eq!(parse_stat(pid(42), torn), None);
        }
    }

    #[test]
    fn descendants_come_in_tree_order_and_a_circle_ends() {
        let process =
            |raw, parent| Process { pid: pid(raw), parent, group: 1, session: 1, state: 'S', started: 0 };
        let table = ProcessTable(vec![
            process(2, 1),
            process(3, 2),
            process(4, 2),
            process(5, 3),
            process(6, 7),
            process(7, 6),
        ]);
        let found: Vec<_> =
            table.descendants(&[pid(2)]).iter().map(|(depth, p)| (*depth, p.pid.as_raw_pid())).collect();
        assert_eq!(found, [(1, 3), (2, 5), (1, 4)]);
        assert_eq!(table.descendants(&[pid(6)]).len(), 2);
    }

    #[test]
    fn we_can_see_ourselves() {
        let own = Process::look(rustix::process::getpid()).unwrap();
        assert!(own.still_runs());
        assert!(ProcessTable::look().unwrap().iter().any(|process| process.pid == own.pid));
    }
}
