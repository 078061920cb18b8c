//! Of every format the same number of randomly damaged lockfiles: none makes a reader panic, none is accepted that another
//! reader of the same notation refuses, and no repair changes an entry that the damage has not touched. How many, and from
//! which seed, `REGREEN_DAMAGED_COUNT` and `REGREEN_DAMAGED_SEED` say.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod fixture;

use fixture::dice::{Dice, KINDS, damaged, number};
use fixture::{ALL, PAIRS, is_notation, read};
use regreen_lockfile::{
    Agreement, Format, Lockfile, Suspect, Version, check, choose, diff, examine, parse, split_conflict,
};

/// A lockfile of each format, and another one of the same project.
fn pairs(format: Format) -> Vec<(&'static str, &'static str)> {
    let branches =
        ALL.iter().filter(|b| b.format == format).flat_map(|b| [(b.base, b.ours), (b.both, b.theirs)]);
    let pairs = PAIRS.iter().filter(|p| p.format == format).map(|p| (p.next, p.base));
    branches.chain(pairs).collect()
}

#[test]
fn of_each_format_as_many_are_read_or_refused_and_repaired_without_harm() {
    let count = usize::try_from(number("REGREEN_DAMAGED_COUNT", 18)).unwrap();
    for format in Format::ALL {
        let pairs = pairs(format);
        let mut dice = Dice(number("REGREEN_DAMAGED_SEED", 1));
        for n in 0..count {
            let (text, other) = pairs[dice.below(pairs.len())];
            let bytes = damaged(n, text, other, &mut dice);
            let said = || {
                format!("{format}, damage {n} of kind {}:\n{}", n % KINDS, String::from_utf8_lossy(&bytes))
            };
            check(format, &bytes);
            examine(format, &bytes, Some(&[]));
            let _ = split_conflict(&bytes);
            if let Ok(lockfile) = parse(format, &bytes) {
                diff(&read(format, text), &lockfile);
                assert!(is_notation(format, std::str::from_utf8(&bytes).unwrap()), "{}", said());
            }
            for good in [text, other] {
                repaired_without_harm(format, text, other, &bytes, good)
                    .unwrap_or_else(|e| panic!("{e} {}", said()));
            }
        }
    }
}

fn repaired_without_harm(
    format: Format,
    text: &str,
    other: &str,
    damaged: &[u8],
    good: &str,
) -> Result<(), String> {
    let history = [Version::sound(format, "0f", good.as_bytes()).unwrap()];
    let agreement = |_: &Lockfile| Agreement::NotChecked(String::new());
    let suspect = Suspect {
        name: "lock",
        format,
        bytes: damaged,
        history: &history,
        sides: None,
        agreement: &agreement,
        unneeded: &|_| Vec::new(),
    };
    let Ok((how, mended)) = choose(&suspect, false) else { return Ok(()) };
    let repaired = parse(format, &mended).map_err(|e| format!("{how:?}: {e}"))?;
    if let Some(left) = repaired.damage.iter().find(|d| d.is_corruption()) {
        return Err(format!("{how:?} left {left}"));
    }
    let (whole, beside) = (read(format, text), read(format, other));
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut starts: Vec<usize> = whole.entries.iter().map(|e| usize::try_from(e.line).unwrap() - 1).collect();
    starts.sort_unstable();
    starts.push(lines.len());
    for entry in &whole.entries {
        let start = usize::try_from(entry.line).unwrap() - 1;
        let end = starts[starts.partition_point(|s| *s <= start)];
        // The line before may belong to it.
        let block = lines[start.saturating_sub(1)..end].concat();
        let untouched = memchr::memmem::find_iter(damaged, block.as_bytes()).count() == 1;
        // What the sides of a merge have differently, the merge may take from either.
        let same = beside.entries.iter().any(|e| e.place == entry.place && e.checksums == entry.checksums);
        // Bundler has its checksums behind the entries.
        let behind = format == Format::GemfileLock;
        let kept = |e: &&regreen_lockfile::Entry| {
            e.place == entry.place && e.version == entry.version && (behind || e.checksums == entry.checksums)
        };
        if untouched && same && !repaired.entries.iter().any(|e| kept(&e)) {
            return Err(format!("{how:?} changed {}", entry.title()));
        }
    }
    Ok(())
}
