//! Caches for people, to be read on 80 columns.

use std::fmt::Write;

use owo_colors::OwoColorize;
use regreen_domain::Outcome;
use regreen_engine::CacheRepaired;
use regreen_show::plain::wrapped;

use super::{Checked, Counted, Repaired, size};
use crate::output::print::table;

/// So many damaged or unreadable entries of one cache are shown.
const SHOWN: usize = 50;

/// One cache that was checked.
pub fn checked(of: &Checked, colour: bool) -> String {
    let scan = &of.scan;
    let damaged = scan.damaged.len();
    let (verdict, bad) = match (damaged, scan.health(), scan.unreadable.len()) {
        (0, None, _) => ("nothing to check".to_owned(), false),
        (0, Some(_), 0) => ("sound".to_owned(), false),
        (0, Some(_), _) => ("no damage found".to_owned(), false),
        (1, ..) => ("1 entry is damaged".to_owned(), true),
        (n, ..) => (format!("{n} entries are damaged"), true),
    };
    let verdict = match (colour, bad) {
        (false, _) => verdict,
        (true, true) => verdict.red().bold().to_string(),
        (true, false) => verdict.green().to_string(),
    };
    let mut text = format!("{}: {verdict}", of.cache.id());
    let entries = scan.checked + scan.unverified;
    put(&mut text, format_args!("; {}, {}", plural(entries, "entry", "entries"), size(scan.bytes)));
    if let Some(health) = scan.health() {
        put(&mut text, format_args!(", health {health}"));
    }
    put(&mut text, format_args!("\n --> {}\n", of.say(&of.root.display().to_string())));
    for (number, entry) in scan.damaged.iter().enumerate().take(SHOWN) {
        put(&mut text, format_args!(" = damaged: {}\n", of.say(entry.path.as_str())));
        put(&mut text, format_args!("   {}\n", of.say(&entry.why)));
        if let Some(origin) = of.origin(number) {
            put(&mut text, format_args!("   it holds {origin}\n"));
        }
    }
    for path in scan.unreadable.iter().take(SHOWN) {
        put(&mut text, format_args!(" = can't be read: {}\n", of.say(path)));
    }
    let more = damaged.saturating_sub(SHOWN) + scan.unreadable.len().saturating_sub(SHOWN);
    if more > 0 {
        text.push_str(&wrapped(1, "note", &format!("{more} more entries; `--format json` shows all")));
    }
    if scan.unverified > 0 {
        let words = match scan.unverified {
            1 => "1 entry has no checksum of its own and was not checked".to_owned(),
            n => format!("{n} entries have no checksum of their own and were not checked"),
        };
        text.push_str(&wrapped(1, "note", &words));
    }
    if scan.interrupted {
        text.push_str(&wrapped(1, "note", "it was interrupted before the end"));
    }
    text
}

/// One cache that was to be repaired: what was damaged, and what came of it.
pub fn repaired(of: &Repaired, colour: bool) -> String {
    let mut text = checked(&of.checked, colour);
    let say = |text: &str| of.checked.say(text);
    match &of.repaired {
        None => {}
        Some(CacheRepaired::Refused(why)) => {
            text.push_str(&wrapped(1, "refused", &format!("{}; nothing was touched", say(why))));
        }
        Some(CacheRepaired::SoundNow) => {
            text.push_str(&wrapped(
                1,
                "sound now",
                "nothing is damaged any more: another run repaired it, or was brought to its end",
            ));
        }
        Some(CacheRepaired::WouldDo) => {
            text.push_str(&wrapped(1, "dry run", "all of that would be taken out; nothing was touched"));
        }
        Some(CacheRepaired::Ended { incident, outcome: Outcome::Healed, fetched, left, .. }) => {
            let words = match of.checked.scan.damaged.len() {
                1 => "it was taken out, and the rest is sound".to_owned(),
                n => format!("all {n} were taken out, and the rest is sound"),
            };
            text.push_str(&wrapped(1, "repaired", &format!("{words}; incident {incident}")));
            for path in fetched.iter().take(SHOWN) {
                put(&mut text, format_args!(" = fetched anew: {}\n", say(path)));
            }
            for path in left.iter().take(SHOWN) {
                put(&mut text, format_args!(" = left to {}: {}\n", of.checked.cache.tool(), say(path)));
            }
        }
        Some(CacheRepaired::Ended { incident, outcome, why, .. }) => {
            let kind = if *outcome == Outcome::Stuck { "stuck" } else { "taken back" };
            text.push_str(&wrapped(1, kind, &format!("{}; incident {incident}", say(why))));
        }
    }
    text
}

/// One cache that was counted.
pub fn counted(of: &Counted) -> String {
    let (stats, (one, many)) = (&of.stats, of.cache.counted());
    let root = regreen_show::harmless::harmless(&of.masker.mask(&of.root.display().to_string()));
    let mut text =
        format!("{}: {} in {}\n", of.cache.id(), size(stats.bytes), plural(stats.files, one, many));
    put(&mut text, format_args!(" --> {root}\n"));
    let row =
        |name: &str, files: u64, bytes: u64| [format!("  {name}"), size(bytes), plural(files, one, many)];
    let mut rows: Vec<[String; 3]> =
        stats.parts.iter().take(SHOWN).map(|p| row(&of.masker.mask(&p.name), p.files, p.bytes)).collect();
    if let Some((first, last)) = stats.written {
        rows.push(["  written".to_owned(), day(first), format!("to {}", day(last))]);
    }
    match &stats.used {
        Some(used) => {
            let last = used.last.map_or("never".to_owned(), |at| format!("last {}", day(at)));
            rows.push([
                "  read since".to_owned(),
                size(used.bytes),
                format!("{}, {last}", plural(used.files, one, many)),
            ]);
        }
        None => rows.push([
            "  read since".to_owned(),
            "unknown".to_owned(),
            "the file system does not note it".to_owned(),
        ]),
    }
    text.push_str(&table(&rows));
    if stats.unreadable > 0 {
        let words =
            format!("{} can't be looked at", plural(stats.unreadable, "file or folder", "files or folders"));
        text.push_str(&wrapped(1, "note", &words));
    }
    if stats.interrupted {
        text.push_str(&wrapped(1, "note", "it was interrupted before the end"));
    }
    text
}

/// All of them.
pub fn total(caches: u64, files: u64, bytes: u64) -> String {
    format!("{caches} caches: {} in {}\n", size(bytes), plural(files, "file", "files"))
}

fn day(at: i64) -> String {
    let moment = crate::output::print::moment(at);
    moment.split('T').next().unwrap_or(&moment).to_owned()
}

fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _infallible = text.write_fmt(what);
}
