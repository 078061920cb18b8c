//! The literals that a regular expression requires: a match holds at least one of them.

use regex_syntax::hir::{Class, Hir, HirKind};

/// More alternatives than this choose nothing any more.
const MOST: usize = 32;

/// A set of literals of which every match holds at least one, the most telling that could be found: the one
/// whose shortest member is longest. `None` where no text is required.
pub(crate) fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    if let Some(all) = exact(hir) {
        return is_telling(&all).then_some(all);
    }
    match hir.kind() {
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(parts) => best(runs(parts).into_iter().chain(parts.iter().filter_map(required))),
        HirKind::Alternation(branches) => {
            let sets: Option<Vec<_>> = branches.iter().map(required).collect();
            let mut all: Vec<Vec<u8>> = sets?.into_iter().flatten().collect();
            all.sort();
            all.dedup();
            (all.len() <= MOST).then_some(all)
        }
        _ => None,
    }
}

/// What a text must hold to be matched: for one of the alternatives, of each of its sets one literal. Empty where
/// nothing is known.
pub(crate) fn needs(hir: &Hir) -> Vec<Vec<Vec<Vec<u8>>>> {
    match hir.kind() {
        HirKind::Capture(capture) => needs(&capture.sub),
        HirKind::Alternation(branches) => {
            let each: Vec<_> = branches.iter().map(needs).collect();
            // Of a branch of which nothing is known, any text may be one.
            if each.iter().any(Vec::is_empty) { Vec::new() } else { each.into_iter().flatten().collect() }
        }
        HirKind::Concat(parts) => {
            let mut sets = runs(parts);
            sets.extend(parts.iter().filter(|part| exact(part).is_none()).filter_map(required));
            if sets.is_empty() { Vec::new() } else { vec![sets] }
        }
        _ => required(hir).map_or(Vec::new(), |set| vec![vec![set]]),
    }
}

/// The texts that neighbouring parts form together: `code E` and `50[0-4]` are `code E500` to `code E504`.
fn runs(parts: &[Hir]) -> Vec<Vec<Vec<u8>>> {
    let mut runs = Vec::new();
    let mut run: Vec<Vec<u8>> = vec![Vec::new()];
    for part in parts {
        match exact(part) {
            Some(texts) if run.len() * texts.len() <= MOST => run = product(&run, &texts),
            other => {
                runs.push(std::mem::replace(&mut run, other.unwrap_or_else(|| vec![Vec::new()])));
            }
        }
    }
    runs.push(run);
    runs.into_iter().filter(|run| is_telling(run)).collect()
}

/// Every text that the expression matches, where these are few.
fn exact(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let texts = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![Vec::new()],
        HirKind::Literal(literal) => vec![literal.0.to_vec()],
        HirKind::Capture(capture) => exact(&capture.sub)?,
        HirKind::Class(Class::Bytes(class)) => {
            let bytes = class.iter().flat_map(|range| range.start()..=range.end());
            bytes.take(MOST + 1).map(|byte| vec![byte]).collect()
        }
        HirKind::Repetition(repetition) if repetition.min == 0 && repetition.max == Some(1) => {
            let mut texts = exact(&repetition.sub)?;
            texts.push(Vec::new());
            texts
        }
        HirKind::Concat(parts) => parts.iter().try_fold(vec![Vec::new()], |texts, part| {
            let texts = product(&texts, &exact(part)?);
            (texts.len() <= MOST).then_some(texts)
        })?,
        HirKind::Alternation(branches) => {
            branches.iter().map(exact).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect()
        }
        _ => return None,
    };
    (texts.len() <= MOST).then_some(texts)
}

fn product(heads: &[Vec<u8>], tails: &[Vec<u8>]) -> Vec<Vec<u8>> {
    heads.iter().flat_map(|head| tails.iter().map(move |tail| [head.as_slice(), tail].concat())).collect()
}

fn best(sets: impl Iterator<Item = Vec<Vec<u8>>>) -> Option<Vec<Vec<u8>>> {
    sets.max_by_key(|set| (shortest(set).min(LONG_ENOUGH), usize::MAX - set.len(), shortest(set)))
}

/// Past this length a literal is rare; then fewer literals are better than longer ones.
const LONG_ENOUGH: usize = 12;

fn is_telling(set: &[Vec<u8>]) -> bool {
    !set.is_empty() && shortest(set) > 0
}

fn shortest(set: &[Vec<u8>]) -> usize {
    set.iter().map(Vec::len).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;

    fn of(source: &str) -> Option<Vec<String>> {
        let hir =
            regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(source).unwrap();
        let mut set: Vec<String> =
            required(&hir)?.into_iter().map(|l| String::from_utf8(l).unwrap()).collect();
        set.sort();
        Some(set)
    }

    #[test]
    fn the_most_telling_text_that_must_be_there() {
        for (source, want) in [
            ("^npm (?:ERR!|error) code E503$", Some(vec!["npm ERR! code E503", "npm error code E503"])),
            ("error: failed to (?:download|fetch) `(?<package>[^`]+)`", Some(vec!["error: failed to "])),
            ("(?:abc|defg)+x", Some(vec!["abc", "defg"])),
            ("got 50[0-2]$", Some(vec!["got 500", "got 501", "got 502"])),
            ("ab?c", Some(vec!["abc", "ac"])),
            ("(?:abc)?", None),
            ("[a-zA-Z]+", None),
            ("(?:[0-9]|ab)?", None),
        ] {
            assert_eq!(of(source), want.map(|w| w.into_iter().map(str::to_owned).collect()), "{source}");
        }
    }

    #[test]
    fn a_match_holds_one_of_them() {
        let source = "^npm (?:ERR!|error) (?<s>50[0-9]|52[0-9]) .* - (?:GET|PUT) https?://";
        let regex = regex::bytes::RegexBuilder::new(source).unicode(false).build().unwrap();
        let text = "npm ERR! 521 Down - PUT https://h/";
        assert!(regex.is_match(text.as_bytes()));
        let hir =
            regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(source).unwrap();
        let held = |text: &str| {
            let holds =
                |set: &Vec<Vec<u8>>| set.iter().any(|l| text.contains(std::str::from_utf8(l).unwrap()));
            needs(&hir).iter().any(|sets| sets.iter().all(holds))
        };
        assert!(held(text) && !held("npm ERR! 521 Down - POST https://h/"));
        assert!(of(source).unwrap().iter().any(|literal| text.contains(literal)));
    }
}
