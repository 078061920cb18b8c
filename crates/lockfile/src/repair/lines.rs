//! Damaged lines put back as a good version has them, and no other line.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Version;
use crate::position::marker;
use crate::{Damage, Format, parse};

/// A text without its damage.
pub(super) struct Mended {
    pub(super) text: Vec<u8>,
    /// Lines of the damaged text that were replaced or dropped, or those that were put in where none were.
    pub(super) lines: usize,
}

/// How often the text is read again after a piece of it was put back.
const ROUNDS: usize = 24;

/// Where two texts differ: lines of the one and of the other.
type Hunk = (Range<usize>, Range<usize>);

/// The damaged text with the damaged places as the good version has them. `None` where that makes nothing whole, or where
/// more than the damage differs and the damage is not confined to single lines: then a part of one version would stand
/// beside a part of another.
pub(super) fn mended(format: Format, damaged: &[u8], good: &Version) -> Option<Mended> {
    let (lines, wanted) = (split(damaged), split(&good.bytes));
    let hunks = hunks(&lines, &wanted);
    let mut put_back = vec![false; hunks.len()];
    let write = |put_back: &[bool]| written(&lines, &wanted, &hunks, put_back);
    let mut text = damaged.to_vec();
    for _ in 0..ROUNDS {
        let Some(damage) = damage(format, &text) else { break };
        let at = usize::try_from(damage.line()).unwrap_or(usize::MAX).saturating_sub(1);
        let blamed = nearest(&hunks, &put_back, at, &damage)?;
        put_back[blamed] = true;
        text = write(&put_back);
    }
    if damage(format, &text).is_some() {
        return None;
    }
    // What was put back for nothing is not damage.
    for n in (0..hunks.len()).filter(|n| put_back[*n]).collect::<Vec<_>>() {
        put_back[n] = false;
        let without = write(&put_back);
        match damage(format, &without) {
            Some(_) => put_back[n] = true,
            None => text = without,
        }
    }
    let replaced = || hunks.iter().zip(&put_back).filter(|(_, back)| **back).map(|(hunk, _)| hunk);
    if !replaced().all(|hunk| is_damage(&lines, &wanted, hunk)) {
        return None;
    }
    let single = |(ours, theirs): &Hunk| ours.len() <= 1 && theirs.len() <= 1;
    let mended = Mended { lines: replaced().map(|(o, t)| o.len().max(t.len())).sum(), text };
    (mended.text == good.bytes || replaced().all(single)).then_some(mended)
}

/// Bytes in which a damaged line may differ from what it was.
const SLIGHT: usize = 16;

/// Whether the damaged lines may have been the good ones: they are missing or cut, no text at all, markers of a merge, the
/// same line again, or differ slightly. A line that says something else in good order is somebody's change.
fn is_damage(lines: &[&[u8]], wanted: &[&[u8]], (ours, theirs): &Hunk) -> bool {
    let (before, after) = (lines[ours.clone()].concat(), wanted[theirs.clone()].concat());
    let garbage = |line: &&[u8]| {
        std::str::from_utf8(line)
            .map_or(true, |text| text.chars().any(|c| c.is_control() && !c.is_whitespace()))
    };
    let own = &lines[ours.clone()];
    if own.iter().all(garbage) || own.iter().any(|line| marker(line).is_some()) {
        return true;
    }
    let again = |n: usize| lines.get(n) == own.first();
    if own.len() == 1
        && theirs.is_empty()
        && (ours.start.checked_sub(1).is_some_and(again) || again(ours.end))
    {
        return true;
    }
    if ours.end == lines.len() && own.len() == 1 && after.starts_with(before.trim_ascii_end()) {
        return true;
    }
    let head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let rest = (&before[head..], &after[head..]);
    let tail = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(|(a, b)| a == b).count();
    own.len() <= 2 && theirs.len() <= 2 && rest.0.len().max(rest.1.len()) - tail <= SLIGHT
}

fn damage(format: Format, text: &[u8]) -> Option<Damage> {
    match parse(format, text) {
        Err(damage) => Some(damage),
        Ok(lockfile) => lockfile.damage.into_iter().find(Damage::is_corruption),
    }
}

/// The difference that is to blame: one that holds the line; else the last before it, for a reader notices late; else the
/// first after it. The line is one of the text as it is now, which the pieces that were put back have moved.
fn nearest(hunks: &[Hunk], put_back: &[bool], at: usize, damage: &Damage) -> Option<usize> {
    let mut moved = 0isize;
    let mut before = None;
    let mut after = None;
    for (n, (ours, theirs)) in hunks.iter().enumerate() {
        let start = ours.start.saturating_add_signed(moved);
        if put_back[n] {
            moved += isize::try_from(theirs.len()).ok()? - isize::try_from(ours.len()).ok()?;
            continue;
        }
        let end = start + ours.len().max(1);
        if (start..end).contains(&at) && !matches!(damage, Damage::Truncated { .. }) {
            return Some(n);
        }
        if start <= at || matches!(damage, Damage::Truncated { .. }) {
            before = Some(n);
        } else if after.is_none() {
            after = Some(n);
        }
    }
    // What is missing is where the good version has more.
    let missing = |n: &usize| hunks[*n].0.is_empty() && !put_back[*n];
    match damage {
        Damage::MissingEntry { .. } => (0..hunks.len()).find(missing).or(before).or(after),
        _ => before.or(after),
    }
}

fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|b| *b == b'\n').collect()
}

fn written(ours: &[&[u8]], theirs: &[&[u8]], hunks: &[Hunk], put_back: &[bool]) -> Vec<u8> {
    let (mut text, mut at) = (Vec::new(), 0);
    for ((o, t), back) in hunks.iter().zip(put_back) {
        text.extend(ours[at..o.start].concat());
        text.extend(if *back { theirs[t.clone()].concat() } else { ours[o.clone()].concat() });
        at = o.end;
    }
    text.extend(ours[at..].concat());
    text
}

/// The differences by lines that stand once in either text, as patience diff finds them.
fn hunks(ours: &[&[u8]], theirs: &[&[u8]]) -> Vec<Hunk> {
    let mut found = Vec::new();
    let mut open = vec![(0..ours.len(), 0..theirs.len())];
    while let Some((o, t)) = open.pop() {
        let (mut o, mut t) = (o, t);
        while !o.is_empty() && !t.is_empty() && ours[o.start] == theirs[t.start] {
            (o.start, t.start) = (o.start + 1, t.start + 1);
        }
        while !o.is_empty() && !t.is_empty() && ours[o.end - 1] == theirs[t.end - 1] {
            (o.end, t.end) = (o.end - 1, t.end - 1);
        }
        if o.is_empty() && t.is_empty() {
            continue;
        }
        let anchors = anchors(ours, theirs, &o, &t);
        if anchors.is_empty() {
            found.push((o, t));
            continue;
        }
        let (mut from_ours, mut from_theirs) = (o.start, t.start);
        for (a, b) in anchors {
            open.push((from_ours..a, from_theirs..b));
            (from_ours, from_theirs) = (a + 1, b + 1);
        }
        open.push((from_ours..o.end, from_theirs..t.end));
    }
    found.sort_by_key(|(o, t)| (o.start, t.start));
    found
}

/// The longest ascending chain of lines that stand once in both ranges.
fn anchors(ours: &[&[u8]], theirs: &[&[u8]], o: &Range<usize>, t: &Range<usize>) -> Vec<(usize, usize)> {
    let once = |lines: &[&'_ [u8]], range: &Range<usize>| {
        let mut seen: BTreeMap<Vec<u8>, Option<usize>> = BTreeMap::new();
        for at in range.clone() {
            seen.entry(lines[at].to_vec()).and_modify(|n| *n = None).or_insert(Some(at));
        }
        seen
    };
    let other = once(theirs, t);
    let mut pairs: Vec<(usize, usize)> =
        once(ours, o).into_iter().filter_map(|(line, at)| Some((at?, (*other.get(&line)?)?))).collect();
    pairs.sort_unstable();
    // Patience sorting: the smallest end of a chain of each length, and what stands before each link.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (n, (_, b)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *b);
        before.push(length.checked_sub(1).map(|l| ends[l]));
        match ends.get_mut(length) {
            Some(end) => *end = n,
            None => ends.push(n),
        }
    }
    let mut chain = Vec::new();
    let mut at = ends.last().copied();
    while let Some(n) = at {
        chain.push(pairs[n]);
        at = before[n];
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn putting_everything_back_gives_the_other_text(
            ours in proptest::collection::vec("[a-e]{0,2}\n", 0..12), theirs in proptest::collection::vec("[a-e]{0,2}\n", 0..12),
        ) {
            let (ours, theirs) = (ours.concat(), theirs.concat());
            let (o, t) = (split(ours.as_bytes()), split(theirs.as_bytes()));
            let hunks = hunks(&o, &t);
            let all = vec![true; hunks.len()];
            prop_assert_eq!(written(&o, &t, &hunks, &all), theirs.as_bytes());
            let none = vec![false; hunks.len()];
            prop_assert_eq!(written(&o, &t, &hunks, &none), ours.as_bytes());
        }
    }
}
