//! Merges of what the real tools wrote, measured by what the tools make of both changes.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod fixture;

use fixture::{ALL, Branches, CARGO, CARGO_V1, NPM2, NPM3, PIP, read};
use regreen_lockfile::{Format, Side, Unmergeable, check, diff, merge, split_conflict};

fn clean(format: Format, base: Option<&str>, ours: &str, theirs: &str) -> String {
    let merged = merge(format, base.map(str::as_bytes), ours.as_bytes(), theirs.as_bytes()).unwrap();
    let told: Vec<String> = merged.conflicts.iter().map(ToString::to_string).collect();
    assert_eq!(told, [""; 0]);
    String::from_utf8(merged.into_clean().unwrap()).unwrap()
}

fn conflicts(format: Format, base: &str, ours: &str, theirs: &str) -> Vec<String> {
    let merged = merge(format, Some(base.as_bytes()), ours.as_bytes(), theirs.as_bytes()).unwrap();
    merged.conflicts.iter().map(ToString::to_string).collect()
}

#[test]
fn the_merge_is_byte_for_byte_what_the_tool_writes() {
    for Branches { format, base, ours, theirs, both } in ALL {
        assert_eq!(clean(format, Some(base), ours, theirs), both, "{format}");
        assert_eq!(clean(format, Some(base), theirs, ours), both, "{format}, swapped");
    }
}

#[test]
fn one_sided_changes_are_that_side() {
    for Branches { format, base, ours, theirs, both } in ALL {
        for side in [base, ours, theirs, both] {
            assert_eq!(clean(format, Some(base), side, base), side, "{format}");
            assert_eq!(clean(format, Some(base), base, side), side, "{format}");
            assert_eq!(clean(format, Some(base), side, side), side, "{format}");
        }
    }
}

#[test]
fn line_ends_and_indent_are_those_of_ours() {
    for Branches { format, base, ours, theirs, both } in ALL {
        let windows = |text: &str| text.replace('\n', "\r\n");
        assert_eq!(clean(format, Some(base), &windows(ours), theirs), windows(both), "{format}");
    }
    let tabs = |text: &str| text.replace("  ", "\t");
    assert_eq!(clean(Format::NpmLock, Some(NPM3.base), &tabs(NPM3.ours), NPM3.theirs), tabs(NPM3.both));
}

#[test]
fn without_a_base_nothing_that_is_needed_goes() {
    // `ours` dropped a dependency; without a base it can't be told from one that `theirs` added.
    for (Branches { format, base, ours, .. }, dropped) in [(NPM3, "fsevents"), (CARGO, "fnv"), (PIP, "none")]
    {
        let merged = read(format, &clean(format, None, ours, base));
        for entry in read(format, ours).entries.iter().chain(&read(format, base).entries) {
            let there = merged.entries.iter().any(|e| e.place == entry.place);
            assert!(there, "{format}: {} {dropped}", entry.place);
        }
    }
}

#[test]
fn two_versions_of_one_package_are_a_conflict() {
    let bump = |text: &str, from: &str, to: &str| text.replace(from, to);
    let npm = NPM3.base;
    assert_eq!(
        conflicts(
            Format::NpmLock,
            npm,
            &bump(npm, "\"version\": \"2.1.3\"", "\"version\": \"2.1.4\""),
            &bump(npm, "\"version\": \"2.1.3\"", "\"version\": \"2.1.5\"")
        ),
        [
            "node_modules/ms: ours has 2.1.4 (sha512-6FlzubTLZG3J2), theirs has 2.1.5 (sha512-6FlzubTLZG3J2), both from \
          2.1.3 (sha512-6FlzubTLZG3J2)"
        ]
    );
    let cargo = CARGO.base;
    assert_eq!(
        conflicts(
            Format::CargoLock,
            cargo,
            &bump(cargo, "1.0.19", "1.0.20"),
            &bump(cargo, "1.0.19", "1.0.21")
        ),
        [
            "itoa: ours has 1.0.20 (3bd1574e617a), theirs has 1.0.21 (3bd1574e617a), both from 1.0.19 (3bd1574e617a)"
        ]
    );
    let pip = PIP.base;
    assert_eq!(
        conflicts(
            Format::PipRequirements,
            pip,
            &bump(pip, "six==1.17.0", "six==1.17.1"),
            &bump(pip, "six==1.17.0", "six==1.17.2")
        ),
        [
            "six: ours has ==1.17.1 with 2 checksums, theirs has ==1.17.2 with 2 checksums, both from ==1.17.0 with 2 checksums"
        ]
    );
}

#[test]
fn another_checksum_on_each_side_is_a_conflict_and_ours_stays() {
    let (ours, theirs) = (CARGO.base.replace("3f9eec", "aaaaaa"), CARGO.base.replace("3f9eec", "bbbbbb"));
    let merged =
        merge(Format::CargoLock, Some(CARGO.base.as_bytes()), ours.as_bytes(), theirs.as_bytes()).unwrap();
    assert_eq!(merged.conflicts.len(), 1);
    assert_eq!(merged.text, ours.as_bytes());
    assert_eq!(merged.into_clean(), None);
}

#[test]
fn what_one_side_still_needs_comes_back() {
    // ours drops `fnv`, theirs adds a package that needs it.
    let without = CARGO.base.replace(" \"fnv\",\n", "");
    let start = without.find("[[package]]\nname = \"fnv\"").unwrap();
    let end = without[start + 1..].find("[[package]]").unwrap() + start + 1;
    let ours = format!("{}{}", &without[..start], &without[end..]);
    let theirs = CARGO.base.replace(
        "[[package]]\nname = \"itoa\"\nversion = \"0.4.8\"",
        "[[package]]\nname = \"hashes\"\nversion = \"1.0.0\"\ndependencies = [\n \"fnv\",\n]\n\n[[package]]\nname = \"itoa\"\nversion = \"0.4.8\"",
    );
    let merged = clean(Format::CargoLock, Some(CARGO.base), &ours, &theirs);
    assert!(merged.contains("name = \"fnv\""), "{merged}");
    assert!(!merged.contains(" \"fnv\",\n \"itoa"), "the project doesn't need it any more: {merged}");
    assert_eq!(check(Format::CargoLock, merged.as_bytes()), []);
}

#[test]
fn dependencies_are_qualified_anew_where_a_second_version_comes_in() {
    let head = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n";
    let tail = |version: &str| {
        format!(
            "]\n\n[[package]]\nname = \"x\"\nversion = \"{version}\"\nsource = \"registry+https://h/i\"\n"
        )
    };
    let base = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n";
    let (ours, theirs) =
        (format!("{head} \"x\",\n{}", tail("1.4.0")), format!("{head} \"x\",\n{}", tail("2.0.1")));
    let merged = clean(Format::CargoLock, Some(base), &ours, &theirs);
    assert!(merged.contains(" \"x 1.4.0\",\n \"x 2.0.1\",\n"), "{merged}");
}

#[test]
fn a_range_that_the_other_side_broke_is_a_conflict() {
    // theirs adds a package that needs is-number 7; ours moves it to 8.
    let ours = NPM3
        .base
        .replace("\"version\": \"7.0.0\"", "\"version\": \"8.0.0\"")
        .replace("\"is-number\": \"7.0.0\"", "\"is-number\": \"8.0.0\"");
    let theirs = NPM3.base.replace(
        "    \"node_modules/ms\"",
        "    \"node_modules/later\": {\n      \"version\": \"1.0.0\",\n      \"dependencies\": {\n        \"is-number\": \"^7.0.0\"\n      }\n    },\n    \"node_modules/ms\"",
    ).replace("\"is-odd\": \"^3.0.1\"\n      },\n      \"devD", "\"is-odd\": \"^3.0.1\",\n        \"later\": \"1\"\n      },\n      \"devD");
    assert_ne!(theirs, NPM3.base);
    assert_eq!(
        conflicts(Format::NpmLock, NPM3.base, &ours, &theirs),
        [
            "node_modules/later: ours has is-number 8.0.0, theirs has is-number 7.0.0, both from is-number 7.0.0; it needs \
          is-number@^7.0.0, which the merge would not give it"
        ]
    );
}

/// A range that only the chosen version of a package asks by is not excused by the side that had another.
#[test]
fn a_new_version_that_needs_more_is_no_excuse() {
    let lock = |a: &str, range: &str, b: &str| {
        format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\"\": {{\"dependencies\": {{\"a\": \"*\", \"b\": \"*\"}}}}, \
             \"node_modules/a\": {{\"version\": \"{a}\", \"dependencies\": {{\"b\": \"{range}\"}}}}, \
             \"node_modules/b\": {{\"version\": \"{b}\"}}}}}}"
        )
    };
    let base = lock("1.0.0", "*", "2.0.0");
    // ours moves b down, theirs takes an `a` that needs b 2.
    let (ours, theirs) = (lock("1.0.0", "*", "1.0.0"), lock("2.0.0", "^2.0.0", "2.0.0"));
    let found = conflicts(Format::NpmLock, &base, &ours, &theirs);
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("it needs b@^2.0.0, which the merge would not give it"), "{found:?}");
}

#[test]
fn both_listings_of_version_2_stay_alike() {
    let merged = read(Format::NpmLock, &clean(Format::NpmLock, Some(NPM2.base), NPM2.ours, NPM2.theirs));
    assert!(merged.entries.iter().any(|e| e.name == "left-pad"));
    assert_eq!(check(Format::NpmLock, NPM2.both.as_bytes()), []);
}

#[test]
fn a_conflicted_file_is_merged_from_its_own_sides() {
    let text = "six==1.16.0\n<<<<<<< HEAD\nattrs==1\n||||||| base\n=======\nzope==2\n>>>>>>> topic\n";
    let split = split_conflict(text.as_bytes()).unwrap();
    let merged = merge(Format::PipRequirements, split.base.as_deref(), &split.ours, &split.theirs).unwrap();
    assert_eq!(String::from_utf8(merged.into_clean().unwrap()).unwrap(), "six==1.16.0\nattrs==1\nzope==2\n");
}

#[test]
fn old_cargo_lockfiles_stay_old() {
    assert_eq!(clean(Format::CargoLock, Some(CARGO_V1), CARGO_V1, CARGO_V1), CARGO_V1);
    let merged = clean(Format::CargoLock, Some(CARGO.base), CARGO.base, CARGO_V1);
    assert_eq!(merged, CARGO_V1, "what theirs changed is the version");
}

#[test]
fn what_can_not_be_merged_is_refused() {
    let damaged = merge(Format::NpmLock, None, b"{", NPM3.base.as_bytes());
    assert!(matches!(damaged, Err(Unmergeable::Damaged { side: Side::Ours, .. })));
    let versions = merge(Format::NpmLock, None, NPM2.base.as_bytes(), NPM3.base.as_bytes());
    assert_eq!(versions, Err(Unmergeable::Versions { ours: 2, theirs: 3 }));
    let unknown = CARGO.base.replace("name = \"fnv\"", "name = \"fnv\"\ncolour = \"red\"");
    let refused = merge(Format::CargoLock, None, CARGO.base.as_bytes(), unknown.as_bytes()).unwrap_err();
    assert_eq!(refused.to_string(), "theirs holds `colour` of fnv, which can't be merged here");
}

#[test]
fn merging_says_the_same_whichever_side_is_ours() {
    for Branches { format, base, ours, theirs, .. } in ALL {
        let (a, b) = (clean(format, Some(base), ours, theirs), clean(format, Some(base), theirs, ours));
        assert!(diff(&read(format, &a), &read(format, &b)).is_empty(), "{format}");
    }
}

#[test]
fn what_would_be_nothing_is_not_merged() {
    let text = b"[metadata]\n";
    let refused = merge(Format::CargoLock, None, text, text).unwrap_err();
    assert_eq!(refused.to_string(), "ours holds no package, which can't be merged here");
}
