//! Processes found by a variable in their environment, straight from `/proc`.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

/// Pid and command line of every living process whose environment holds `entry` (`NAME=value`).
pub fn with_entry(entry: &str) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for folder in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = folder.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap_or_default();
        let marked = read("environ").split(|b| *b == 0).any(|e| e == entry.as_bytes());
        // A zombie shows no environment, so it is not found: it runs no more.
        if marked {
            let line: Vec<u8> = read("cmdline").iter().map(|b| if *b == 0 { b' ' } else { *b }).collect();
            found.push((pid, String::from_utf8_lossy(&line).into_owned()));
        }
    }
    found
}

/// Waits until no process holds the entry; gives those that are left after `patience`.
pub fn wait_until_gone(entry: &str, patience: Duration) -> Vec<(u32, String)> {
    let until = Instant::now() + patience;
    loop {
        let left = with_entry(entry);
        if left.is_empty() || Instant::now() >= until {
            return left;
        }
        sleep(Duration::from_millis(20));
    }
}
