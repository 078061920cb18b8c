//! Damaged lockfiles made whole by what their history held.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod fixture;

use fixture::{ALL, Branches, CARGO, NPM3, PAIRS, PIP, PIPENV, POETRY, UV, YARN1};
use regreen_lockfile::{
    Agreement, Conflict, Format, Lockfile, NoRepair, Repair, Suspect, Version, acceptable, choose,
    split_conflict,
};

/// What is chosen for a text with these good versions, newest first, where no manifest can be compared.
fn chosen(format: Format, damaged: &str, good: &[&str]) -> Result<(Repair, String), NoRepair> {
    let agreement = |_: &Lockfile| Agreement::NotChecked(String::new());
    with_agreement(format, damaged, good, &agreement, None)
}

fn with_agreement(
    format: Format,
    damaged: &str,
    good: &[&str],
    agreement: &dyn Fn(&Lockfile) -> Agreement,
    ancestor: Option<&str>,
) -> Result<(Repair, String), NoRepair> {
    let history: Vec<Version> = (good.iter().enumerate())
        .map(|(n, text)| Version::sound(format, &format!("{n:040}"), text.as_bytes()).unwrap())
        .collect();
    let sides = split_conflict(damaged.as_bytes()).ok();
    let sides =
        ancestor.zip(sides).map(|(base, sides)| Conflict { base: Some(base.as_bytes().to_vec()), ..sides });
    let suspect = Suspect {
        name: "lock",
        format,
        bytes: damaged.as_bytes(),
        history: &history,
        sides: sides.as_ref(),
        agreement,
        unneeded: &|_| Vec::new(),
    };
    choose(&suspect, false).map(|(repair, text)| (repair, String::from_utf8(text).unwrap()))
}

fn texts() -> Vec<(Format, &'static str, &'static str)> {
    let branches = ALL.iter().map(|b| (b.format, b.base, b.ours));
    branches.chain(PAIRS.iter().map(|p| (p.format, p.base, p.next))).collect()
}

#[test]
fn a_cut_text_is_restored() {
    for (format, base, _) in texts() {
        let cut = &base[..base.len() * 2 / 3];
        match chosen(format, cut, &[base]) {
            Ok((repair, text)) => {
                assert_eq!(text, base, "{format}");
                assert!(matches!(repair, Repair::Restore { .. }), "{format}: {repair:?}");
            }
            // Cut between two of their entries they are whole.
            Err(no) => {
                let lines = matches!(
                    format,
                    Format::GoSum | Format::GradleLock | Format::PipRequirements | Format::YarnClassic
                );
                assert!(lines && matches!(no, NoRepair::Whole(_)), "{format}: {no}");
            }
        }
    }
}

#[test]
fn a_newer_version_keeps_what_is_new() {
    // One line of the newer lockfile is damaged; the history has only the older one.
    let damaged = NPM3.ours.replace(
        "\"resolved\": \"https://registry.npmjs.org/ms/",
        "\"resolved\": https://registry.npmjs.org/ms/",
    );
    assert_ne!(damaged, NPM3.ours);
    let (repair, text) = chosen(Format::NpmLock, &damaged, &[NPM3.base]).unwrap();
    assert_eq!(text, NPM3.ours);
    assert_eq!(repair, Repair::Lines { commit: "0".repeat(40), count: 1 });
    // Cut in the middle, a part of the old one would stand beside a part of the new one.
    let cut = &NPM3.ours[..NPM3.ours.len() / 2];
    let no = chosen(Format::NpmLock, cut, &[NPM3.base]).unwrap_err();
    assert_eq!(
        no.to_string(),
        "more than the damage differs between lock and every good version of the trusted history"
    );
    // An older version that is what is left of the text is found behind one that is not.
    let (repair, text) = chosen(Format::NpmLock, cut, &[NPM3.base, NPM3.ours]).unwrap();
    assert_eq!((repair.commit(), text.as_str()), (Some(format!("{:040}", 1).as_str()), NPM3.ours));
}

#[test]
fn malformed_and_odd_checksums_come_back() {
    let mut tried = std::collections::BTreeSet::new();
    for (format, base, next) in texts() {
        let entries = |text: &str| Version::sound(format, "0", text.as_bytes()).unwrap().lockfile.entries;
        let known = entries(base);
        for (text, entry) in
            [base, next].into_iter().flat_map(|t| entries(t).into_iter().map(move |e| (t, e)))
        {
            let held = known.iter().find(|e| e.key() == entry.key() && !e.local);
            // One that is written once, and was the same before.
            let once = |good: &String| text.matches(good.as_str()).count() == 1;
            let sums = held.into_iter().flat_map(|e| &e.checksums).filter(|c| entry.checksums.contains(c));
            let Some(good) = sums.map(|c| c.to_text(format)).find(once) else { continue };
            let digit = good.len() - 5;
            let other = if good.as_bytes()[digit] == b'a' { 'b' } else { 'a' };
            for bad in [
                format!("{}{other}{}", &good[..digit], &good[digit + 1..]),
                good.replacen(&good[digit..], "!", 1),
            ] {
                let mended = chosen(format, &text.replace(&good, &bad), &[base]);
                assert_eq!(mended.map(|(_, text)| text), Ok(text.to_owned()), "{format}: {good} as {bad}");
                tried.insert(format);
            }
        }
    }
    // Gradle's own lockfile has none, and Bundler's base neither.
    assert_eq!(tried.len(), Format::ALL.len() - 2, "{tried:?}");
}

/// Every checksum of the entries with several, as the text has it.
fn of_several_files(format: Format, text: &str) -> Vec<Vec<String>> {
    let lockfile = Version::sound(format, "0", text.as_bytes()).unwrap().lockfile;
    let several = lockfile.entries.into_iter().filter(|e| e.checksums.len() > 1 && !e.local);
    several.map(|e| e.checksums.iter().map(|c| c.to_text(format)).collect()).collect()
}

fn fallen(sum: &str, to: char) -> String {
    let at = sum.len() - 5;
    format!("{}{to}{}", &sum[..at], &sum[at + 1..])
}

#[test]
fn of_several_files_each_gets_its_own_checksum_back() {
    let mut tried = std::collections::BTreeSet::new();
    for (format, base, next) in texts() {
        for sums in [base, next].into_iter().flat_map(|t| of_several_files(format, t)) {
            if !sums.iter().all(|s| base.contains(s)) {
                continue;
            }
            // Each of them alone, all of them, malformed ones, and a wrong one beside a file that is not known yet.
            let all = sums.iter().fold(base.to_owned(), |t, s| t.replace(s, &fallen(s, 'x')));
            let wrong = |s: &String| fallen(s, if s.as_bytes()[s.len() - 5] == b'a' { 'b' } else { 'a' });
            let mut damaged = vec![all, sums.iter().fold(base.to_owned(), |t, s| t.replace(s, &wrong(s)))];
            damaged.extend(sums.iter().map(|s| base.replace(s, &wrong(s))));
            for text in damaged.into_iter().filter(|t| t != base) {
                let mended = chosen(format, &text, &[base]).map(|(_, text)| text);
                assert_eq!(mended.as_deref(), Ok(base), "{format}: {text}");
                tried.insert(format);
            }
        }
    }
    let want = [Format::PipRequirements, Format::PoetryLock, Format::UvLock, Format::PipfileLock];
    assert!(want.iter().all(|f| tried.contains(f)), "{tried:?}");
}

#[test]
fn which_of_several_took_whose_place_is_told_by_the_files_name() {
    for (format, base) in [(Format::UvLock, UV.base), (Format::PoetryLock, POETRY.base)] {
        let sums = of_several_files(format, base).into_iter().next().unwrap();
        // Exchanged, the set is as before.
        let (one, two) = (&sums[0], &sums[1]);
        let exchanged = base.replace(one, "<1>").replace(two, one).replace("<1>", two);
        let mended = chosen(format, &exchanged, &[base]).map(|(_, text)| text);
        assert_eq!(mended.as_deref(), Ok(base), "{format}");
    }
    let pip = |sums: &[&str]| {
        let sums: String = sums.iter().map(|s| format!(" --hash=sha256:{}", s.repeat(64))).collect();
        format!("x==1{sums}\n")
    };
    // Of a set, one that came beside one that took another's place can't be told from it; nothing is guessed.
    let no = chosen(Format::PipRequirements, &pip(&["c", "d"]), &[&pip(&["a"])]).unwrap_err();
    assert_eq!(
        no.to_string(),
        "1 of the checksums that commit 0000000000 held for x 1 are gone and 2 others have come; which took whose place \
         can't be told"
    );
    assert!(matches!(no, NoRepair::Impossible(_)));
    let more = chosen(Format::PipRequirements, &pip(&["a", "d"]), &[&pip(&["a"])]);
    assert!(matches!(more, Err(NoRepair::Whole(_))), "{more:?}");
}

#[test]
fn of_several_files_none_may_come_in_with_an_unknown_checksum() {
    let agreement = |_: &Lockfile| Agreement::NotChecked(String::new());
    for (format, base) in [
        (Format::UvLock, UV.base),
        (Format::PoetryLock, POETRY.base),
        (Format::PipfileLock, PIPENV.base),
        (Format::PipRequirements, PIP.base),
    ] {
        let history = [Version::sound(format, "0", base.as_bytes()).unwrap()];
        let suspect = Suspect {
            name: "lock",
            format,
            bytes: b"{",
            history: &history,
            sides: None,
            agreement: &agreement,
            unneeded: &|_| Vec::new(),
        };
        for sum in of_several_files(format, base).iter().flatten() {
            let digit = if sum.as_bytes()[sum.len() - 5] == b'a' { 'b' } else { 'a' };
            let other = base.replace(sum, &fallen(sum, digit));
            let refused = acceptable(&suspect, None, other.as_bytes(), &[]).unwrap_err();
            assert!(refused.ends_with("that the trusted history never held"), "{format}: {refused}");
        }
        assert!(acceptable(&suspect, None, base.as_bytes(), &[]).is_ok());
    }
}

#[test]
fn several_damages_at_once() {
    let mut lines: Vec<&str> = CARGO.base.split_inclusive('\n').collect();
    let (first, second) = (5, lines.len() - 4);
    (lines[first], lines[second]) = ("\0\0\0\n", "name = \"\n");
    let (repair, text) = chosen(Format::CargoLock, &lines.concat(), &[CARGO.base]).unwrap();
    assert_eq!((repair.how(), text.as_str()), ("restore", CARGO.base));
    let zeros = "\0".repeat(CARGO.base.len());
    assert_eq!(chosen(Format::CargoLock, &zeros, &[CARGO.base]).unwrap().1, CARGO.base);
}

fn conflict(ours: &str, theirs: &str) -> String {
    format!("<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> topic\n")
}

#[test]
fn both_sides_of_a_merge_are_kept() {
    for Branches { format, base, ours, theirs, both } in ALL {
        let text = conflict(ours, theirs);
        let agreement = |_: &Lockfile| Agreement::NotChecked(String::new());
        // The newest version is one of the sides: the ancestor is git's to know.
        let (repair, merged) = with_agreement(format, &text, &[ours], &agreement, Some(base)).unwrap();
        assert_eq!((repair, merged.as_str()), (Repair::Merge, both), "{format}");
        // A version of the history is only a guess at it, which the manifest has to confirm.
        let guessed = with_agreement(format, &text, &[ours, base], &agreement, None);
        assert!(matches!(guessed, Err(NoRepair::Impossible(_))), "{format}: {guessed:?}");
        let confirmed = with_agreement(format, &text, &[ours, base], &|_| Agreement::Agrees, None).unwrap();
        assert_eq!(confirmed.1, both, "{format}");
    }
}

#[test]
fn one_side_of_a_merge_is_enough_only_if_the_manifest_says_so() {
    let bump = |version: &str| YARN1.base.replace("version \"3.0.1\"", &format!("version \"{version}\""));
    let text = conflict(&bump("3.0.2"), &bump("3.0.3"));
    let no = chosen(Format::YarnClassic, &text, &[&bump("3.0.2")]).unwrap_err();
    assert!(
        no.to_string()
            .starts_with("no good version of lock is enough: both sides changed is-odd@^3.0.1: ours has"),
        "{no}"
    );
    let agrees = with_agreement(Format::YarnClassic, &text, &[&bump("3.0.2")], &|_| Agreement::Agrees, None);
    assert_eq!(agrees.unwrap().1, bump("3.0.2"));
}

#[test]
fn nothing_unknown_comes_in() {
    let agreement = |_: &Lockfile| Agreement::NotChecked(String::new());
    let history = [Version::sound(Format::NpmLock, "0", NPM3.base.as_bytes()).unwrap()];
    let suspect = Suspect {
        name: "lock",
        format: Format::NpmLock,
        bytes: b"{",
        history: &history,
        sides: None,
        agreement: &agreement,
        unneeded: &|_| Vec::new(),
    };
    let refused = |text: &str| acceptable(&suspect, None, text.as_bytes(), &[]).unwrap_err();
    let elsewhere = NPM3.base.replace("registry.npmjs.org/ms/", "evil.example/ms/");
    assert_eq!(refused(&elsewhere), "it would fetch from evil.example, which nothing names so far");
    let other = NPM3.base.replace("sha512-6Flz", "sha512-7Flz");
    assert_eq!(refused(&other), "it would hold a checksum for ms 2.1.3 that the trusted history never held");
    let ms = NPM3.base.lines().find(|l| l.contains("sha512-6Flz")).unwrap();
    let none = NPM3.base.replace(&format!("{ms}\n"), "");
    assert_eq!(refused(&none), "it would hold a checksum for ms 2.1.3 that the trusted history never held");
    let weaker = NPM3.base.replace(ms, "      \"integrity\": \"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=\",");
    assert_eq!(refused(&weaker), "it would hold a checksum for ms 2.1.3 that the trusted history never held");
    assert_eq!(refused("{"), "the repaired lock would not be whole");
    let drift = |_: &Lockfile| Agreement::Drift(vec!["it asks for more".to_owned()]);
    let suspect = Suspect { agreement: &drift, ..suspect };
    let refused = acceptable(&suspect, None, NPM3.base.as_bytes(), &[]).unwrap_err();
    assert_eq!(refused, "it would not agree with its manifest: it asks for more");
}

#[test]
fn what_is_whole_or_has_no_history_is_left_alone() {
    assert!(matches!(chosen(Format::PipRequirements, PIP.base, &[PIP.base]), Err(NoRepair::Whole(_))));
    assert_eq!(
        chosen(Format::NpmLock, "{", &[]).unwrap_err().to_string(),
        "the trusted history holds no good version of lock; regenerate it and review the change"
    );
    let newer = "{\"lockfileVersion\": 9}";
    let no = chosen(Format::NpmLock, newer, &[NPM3.base]).unwrap_err();
    assert_eq!(no.to_string(), "lock: line 1: lockfile version 9 can't be read here");
}
