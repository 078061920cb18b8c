//! Version 1 of the JSON shapes of caches: one object a line. Fields may be added, never changed.

use regreen_engine::CacheRepaired;
use regreen_show::harmless::harmless;
use regreen_tools::{
    DamagedEntry,
    cache::{PartSize, Used},
};
use serde::Serialize;

use super::{Checked, Counted, Repaired};
use crate::output::print::line;

#[derive(Debug, Serialize)]
struct CheckedV1<'a> {
    version: u32,
    cache: &'a str,
    tool: &'a str,
    path: String,
    health: Option<u8>,
    checked: u64,
    unverified: u64,
    bytes: u64,
    damaged: Vec<DamagedV1>,
    unreadable: Vec<String>,
    interrupted: bool,
    ms: u64,
}

#[derive(Debug, Serialize)]
struct DamagedV1 {
    path: String,
    why: String,
    holds: Option<String>,
}

fn damaged(of: &Checked) -> Vec<DamagedV1> {
    let entry = |(number, entry): (usize, &DamagedEntry)| DamagedV1 {
        path: of.say(entry.path.as_str()),
        why: of.say(&entry.why),
        holds: of.origin(number),
    };
    of.scan.damaged.iter().enumerate().map(entry).collect()
}

/// One cache that was checked.
pub fn checked(of: &Checked) -> String {
    line(&CheckedV1 {
        version: 1,
        cache: of.cache.id(),
        tool: of.cache.tool(),
        path: of.say(&of.root.display().to_string()),
        health: of.scan.health(),
        checked: of.scan.checked,
        unverified: of.scan.unverified,
        bytes: of.scan.bytes,
        damaged: damaged(of),
        unreadable: of.scan.unreadable.iter().map(|path| of.say(path)).collect(),
        interrupted: of.scan.interrupted,
        ms: u64::try_from(of.took.as_millis()).unwrap_or(u64::MAX),
    })
}

#[derive(Debug, Serialize)]
struct RepairedV1<'a> {
    version: u32,
    cache: &'a str,
    tool: &'a str,
    path: String,
    /// `sound`, `refused`, `dry-run`, `healed`, `rolled-back` or `stuck`.
    outcome: &'a str,
    why: Option<String>,
    incident: Option<&'a str>,
    damaged: Vec<DamagedV1>,
    fetched: Vec<String>,
    left: Vec<String>,
}

/// One cache that was to be repaired.
pub fn repaired(of: &Repaired) -> String {
    let checked = &of.checked;
    let none: &[String] = &[];
    let (outcome, why, incident, fetched, left) = match &of.repaired {
        None | Some(CacheRepaired::SoundNow) => ("sound", None, None, none, none),
        Some(CacheRepaired::Refused(why)) => ("refused", Some(why), None, none, none),
        Some(CacheRepaired::WouldDo) => ("dry-run", None, None, none, none),
        Some(CacheRepaired::Ended { incident, outcome, why, fetched, left, .. }) => {
            let why = Some(why).filter(|why| !why.is_empty());
            (outcome.id(), why, Some(incident.as_str()), fetched.as_slice(), left.as_slice())
        }
    };
    let say = |all: &[String]| all.iter().map(|text| checked.say(text)).collect();
    line(&RepairedV1 {
        version: 1,
        cache: checked.cache.id(),
        tool: checked.cache.tool(),
        path: checked.say(&checked.root.display().to_string()),
        outcome,
        why: why.map(|why| checked.say(why)),
        incident,
        damaged: damaged(checked),
        fetched: say(fetched),
        left: say(left),
    })
}

#[derive(Debug, Serialize)]
struct CountedV1<'a> {
    version: u32,
    cache: &'a str,
    tool: &'a str,
    holds: &'a str,
    path: String,
    files: u64,
    bytes: u64,
    parts: Vec<PartV1>,
    oldest_ms: Option<i64>,
    newest_ms: Option<i64>,
    read_since_written: Option<UsedV1>,
    unreadable: u64,
    interrupted: bool,
}

#[derive(Debug, Serialize)]
struct PartV1 {
    name: String,
    files: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct UsedV1 {
    files: u64,
    bytes: u64,
    last_ms: Option<i64>,
}

/// One cache that was counted.
pub fn counted(of: &Counted) -> String {
    let say = |text: &str| harmless(&of.masker.mask(text));
    let stats = &of.stats;
    let part = |p: &PartSize| PartV1 { name: say(&p.name), files: p.files, bytes: p.bytes };
    let used = |u: &Used| UsedV1 { files: u.files, bytes: u.bytes, last_ms: u.last };
    line(&CountedV1 {
        version: 1,
        cache: of.cache.id(),
        tool: of.cache.tool(),
        holds: of.cache.holds(),
        path: say(&of.root.display().to_string()),
        files: stats.files,
        bytes: stats.bytes,
        parts: stats.parts.iter().map(part).collect(),
        oldest_ms: stats.written.map(|(first, _)| first),
        newest_ms: stats.written.map(|(_, last)| last),
        read_since_written: stats.used.as_ref().map(used),
        unreadable: stats.unreadable,
        interrupted: stats.interrupted,
    })
}
