//! One checksum is replaced, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod fixture;

use fixture::{ALL, BUNDLER_SUMS, Branches, CARGO, CARGO_V1, NPM2, NPM3, PAIRS, PIP, read};
use regreen_lockfile::{
    Algorithm, Checksum, EntryKey, Format, Refused, check, checksum_of, diff, replace_checksum,
};

fn key_of(format: Format, text: &str, name: &str) -> EntryKey {
    read(format, text).entries.iter().find(|e| e.name == name).unwrap().key()
}

fn sum(algorithm: Algorithm, fill: u8) -> Checksum {
    Checksum::new(algorithm, &vec![fill; algorithm.digest_bytes()]).unwrap()
}

fn replaced(
    format: Format,
    text: &str,
    key: &EntryKey,
    old: Option<&Checksum>,
    new: &Checksum,
) -> Result<String, Refused> {
    replace_checksum(format, text.as_bytes(), key, old, new).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn only_the_checksums_bytes_change() {
    for Branches { format, base, .. } in ALL {
        for entry in read(format, base).entries.iter().filter(|e| !e.checksums.is_empty()) {
            let old = &entry.checksums[0];
            let new = sum(old.algorithm(), 7);
            let text = replaced(format, base, &entry.key(), Some(old), &new).unwrap();
            let (was, is) = (old.to_text(format), new.to_text(format));
            assert_eq!(text, base.replace(&was, &is), "{format}: {}", entry.place);
            assert_eq!(replaced(format, &text, &entry.key(), Some(&new), old).unwrap(), base);
            let found = diff(&read(format, base), &read(format, &text));
            assert_eq!(found.checksum_changed.len(), 1, "{found}");
        }
    }
}

/// In every format, whichever of an entry's checksums is meant; of yarn's, the SHA-1 behind the URL can't be.
#[test]
fn every_format_takes_another_checksum() {
    let mut tried = std::collections::BTreeSet::new();
    let sums = [(Format::GemfileLock, BUNDLER_SUMS)];
    for (format, text) in PAIRS.iter().map(|p| (p.format, p.next)).chain(sums) {
        for entry in read(format, text).entries {
            for old in &entry.checksums {
                let new = sum(old.algorithm(), 7);
                if format == Format::YarnClassic && old.algorithm() == Algorithm::Sha1 {
                    let refused = replaced(format, text, &entry.key(), Some(old), &new).unwrap_err();
                    assert!(matches!(refused, Refused::NotThere { .. }), "{refused}");
                    continue;
                }
                let other = replaced(format, text, &entry.key(), Some(old), &new).unwrap();
                let (was, is) = (old.to_text(format), new.to_text(format));
                // A commit of Composer's fixture has the digits of a checksum.
                let named = if format == Format::ComposerLock { "\"shasum\": \"" } else { "" };
                let want = text.replace(&format!("{named}{was}"), &format!("{named}{is}"));
                assert_eq!(other, want, "{format}: {}", entry.place);
                let found = diff(&read(format, text), &read(format, &other));
                assert!(!found.checksum_changed.is_empty(), "{found}");
                assert!(
                    found.version_changed.is_empty() && found.added.is_empty() && found.removed.is_empty()
                );
                tried.insert(format);
            }
        }
    }
    // Gradle's own lockfile has none.
    assert_eq!(
        tried.len(),
        PAIRS.iter().map(|p| p.format).collect::<std::collections::BTreeSet<_>>().len() - 1
    );
}

#[test]
fn a_byte_order_mark_stays() {
    for Branches { format, base, .. } in ALL {
        let marked = format!("\u{feff}{base}");
        let entry = read(format, &marked)
            .entries
            .into_iter()
            .find(|e| e.checksums.len() == 1 || format == Format::UvLock);
        let Some(entry) = entry.filter(|e| !e.checksums.is_empty()) else { continue };
        let (old, new) = (&entry.checksums[0], sum(entry.checksums[0].algorithm(), 7));
        let text = replaced(format, &marked, &entry.key(), Some(old), &new).unwrap();
        assert_eq!(text, marked.replace(&old.to_text(format), &new.to_text(format)), "{format}");
    }
}

#[test]
fn both_listings_of_npm_version_2_change() {
    let key = key_of(Format::NpmLock, NPM2.base, "ms");
    let new = sum(Algorithm::Sha512, 1);
    let text = replaced(Format::NpmLock, NPM2.base, &key, None, &new).unwrap();
    assert_eq!(text.matches(&new.to_text(Format::NpmLock)).count(), 2);
}

#[test]
fn version_1_of_cargo_keeps_them_in_its_metadata() {
    let key = key_of(Format::CargoLock, CARGO_V1, "fnv");
    let new = sum(Algorithm::Sha256, 2);
    let text = replaced(Format::CargoLock, CARGO_V1, &key, None, &new).unwrap();
    assert_eq!(
        checksum_of(&read(Format::CargoLock, &text), "fnv", Some("1.0.7"), key.source.as_deref()),
        [&new]
    );
}

#[test]
fn malformed_ones_can_be_mended() {
    let broken = NPM3.base.replace("sha512-6Flz", "sha512-!!");
    let key = key_of(Format::NpmLock, &broken, "ms");
    let good =
        checksum_of(&read(Format::NpmLock, NPM3.base), "ms", Some("2.1.3"), key.source.as_deref())[0].clone();
    assert_eq!(replaced(Format::NpmLock, &broken, &key, None, &good).unwrap(), NPM3.base);

    // Of pip's several, the malformed one is meant.
    let broken = PIP.base.replace("sha256:4721f391", "sha256:4721");
    let key = key_of(Format::PipRequirements, &broken, "six");
    let good =
        read(Format::PipRequirements, PIP.base).entries.iter().find(|e| e.name == "six").unwrap().checksums
            [0]
        .clone();
    assert_eq!(replaced(Format::PipRequirements, &broken, &key, None, &good).unwrap(), PIP.base);
    assert!(check(Format::PipRequirements, PIP.base.as_bytes()).is_empty());
}

#[test]
fn several_hashes_in_one_integrity() {
    let (sha1, sha512) = (sum(Algorithm::Sha1, 1), sum(Algorithm::Sha512, 2));
    let npm = Format::NpmLock;
    let with = |a: &Checksum, b: &Checksum| {
        format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\"node_modules/a\": {{\"version\": \"1.0.0\", \"integrity\": \"{} {}\"}}}}}}",
            a.to_text(npm),
            b.to_text(npm)
        )
    };
    let text = with(&sha1, &sha512);
    let key = key_of(npm, &text, "a");
    let new = sum(Algorithm::Sha512, 3);
    assert_eq!(replaced(npm, &text, &key, None, &new).unwrap(), with(&sha1, &new));
    let weaker = replaced(npm, &text, &key, Some(&sha512), &sum(Algorithm::Sha1, 4)).unwrap_err();
    assert_eq!(weaker.to_string(), "sha1 is weaker than sha512, which a 1.0.0 has");
}

/// Escapes and other quotes are legal, if unusual; what comes out must read back.
#[test]
fn unusual_quotes() {
    let (npm, cargo) = (Format::NpmLock, Format::CargoLock);
    let (old, new) = (sum(Algorithm::Sha512, 0xff), sum(Algorithm::Sha512, 5));
    let written = old.to_text(npm).replace('/', "\\/");
    let weak = sum(Algorithm::Sha1, 1);
    let lock = |integrity: &str| {
        let package = format!("{{\"version\": \"1.0.0\", \"integrity\": \"{integrity}\"}}");
        format!("{{\"lockfileVersion\": 3, \"packages\": {{\"node_modules/a\": {package}}}}}")
    };
    let key = key_of(npm, &lock(&written), "a");
    assert_eq!(replaced(npm, &lock(&written), &key, Some(&old), &new).unwrap(), lock(&new.to_text(npm)));
    // Of two that can't be told apart in the text, the weaker can't be replaced at the cost of the stronger.
    let two = lock(&format!("{written} {}", weak.to_text(npm)));
    assert!(replaced(npm, &two, &key, Some(&weak), &weak).is_err());
    assert!(replaced(npm, &two, &key, None, &weak).is_err());
    assert_eq!(replaced(npm, &two, &key, None, &new).unwrap(), lock(&new.to_text(npm)));

    let key = key_of(cargo, CARGO.base, "fnv");
    let plain = checksum_of(&read(cargo, CARGO.base), "fnv", Some("1.0.7"), key.source.as_deref())[0].clone();
    let new = sum(Algorithm::Sha256, 5);
    for quote in ["'", "\"\"\"", "'''"] {
        let hex = plain.to_text(cargo);
        let text = CARGO.base.replace(&format!("\"{hex}\""), &format!("{quote}{hex}{quote}"));
        let text = replaced(cargo, &text, &key, None, &new).unwrap();
        let found = read(cargo, &text);
        assert_eq!(checksum_of(&found, "fnv", Some("1.0.7"), key.source.as_deref()), [&new], "{quote}");
    }
}

#[test]
fn what_is_refused() {
    let (npm, cargo, pip) = (Format::NpmLock, Format::CargoLock, Format::PipRequirements);
    let ms = key_of(npm, NPM3.base, "ms");
    let fnv = key_of(cargo, CARGO.base, "fnv");
    let six = key_of(pip, PIP.base, "six");
    let absent = EntryKey { version: Some("9.9.9".to_owned()), ..ms.clone() };
    let elsewhere = EntryKey { source: Some("https://evil.example/ms.tgz".to_owned()), ..ms.clone() };
    let shop = key_of(npm, NPM3.base, "shop");
    let sha512 = sum(Algorithm::Sha512, 0);
    for (format, text, key, new, want) in [
        (npm, NPM3.base, &ms, sum(Algorithm::Sha1, 0), "sha1 is weaker than sha512"),
        (npm, NPM3.base, &ms, sum(Algorithm::Sha256, 0), "sha256 is weaker than sha512"),
        (npm, NPM3.base, &absent, sha512.clone(), "the lockfile has no ms 9.9.9"),
        (npm, NPM3.base, &elsewhere, sha512.clone(), "the lockfile has no ms 2.1.3 from https://evil"),
        (npm, NPM3.base, &shop, sha512.clone(), "shop 1.0.0 has no checksum to replace"),
        (npm, "{", &ms, sha512.clone(), "the lockfile can't be read: line 1"),
        (cargo, CARGO.base, &fnv, sha512.clone(), "cargo-lock can't hold a sha512 checksum"),
        (pip, PIP.base, &six, sum(Algorithm::Sha1, 0), "pip-requirements can't hold a sha1 checksum"),
        (pip, PIP.base, &six, sum(Algorithm::Sha256, 0), "six 1.17.0 has several checksums"),
    ] {
        let refused = replaced(format, text, key, None, &new).unwrap_err().to_string();
        assert!(refused.starts_with(want), "{refused}");
    }
    let other = sum(Algorithm::Sha512, 9);
    let refused = replaced(npm, NPM3.base, &ms, Some(&other), &sha512);
    assert_eq!(refused, Err(Refused::NotThere { key: ms, old: Box::new(other) }));
}

#[test]
fn copies_of_one_artefact_that_disagree_are_ambiguous() {
    let text = NPM2.base.replacen("sha512-6Flzub", "sha512-7Flzub", 1);
    let key = key_of(Format::NpmLock, &text, "ms");
    let lock = read(Format::NpmLock, NPM2.base);
    let good = checksum_of(&lock, "ms", Some("2.1.3"), key.source.as_deref())[0];
    assert!(matches!(replaced(Format::NpmLock, &text, &key, None, good), Err(Refused::Ambiguous(_))));
    let bad =
        read(Format::NpmLock, &text).entries.iter().find(|e| e.name == "ms").unwrap().checksums[0].clone();
    assert_eq!(replaced(Format::NpmLock, &text, &key, Some(&bad), good).unwrap(), NPM2.base);
}
