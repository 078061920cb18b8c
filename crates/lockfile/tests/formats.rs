//! What is read from lockfiles of every tool, and how they are compared.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod fixture;

use fixture::{
    BUN, BUNDLER, BUNDLER_SUMS, COMPOSER, GO, GRADLE_SUMS, NUGET, PAIRS, PIPENV, PNPM5, PNPM6, PNPM9, POETRY,
    Pair, UV, YARN_BERRY, YARN_CLASSIC, read,
};
use regreen_lockfile::{
    Agreement, Checksum, Entry, Format, Manifest, Rule, agrees_with_manifest, check, diff, examine,
    examine_changes, replace_checksum,
};

fn agreement(format: Format, lock: &str, manifest: &str) -> Agreement {
    agrees_with_manifest(&read(format, lock), &Manifest { root: manifest, members: &[] })
}

fn entry(of: &Pair, name: &str) -> Entry {
    read(of.format, of.base).entries.into_iter().find(|e| e.name == name).unwrap_or_else(|| panic!("{name}"))
}

fn changes(format: Format, old: &str, new: &str) -> Vec<Rule> {
    let (_, findings) = examine_changes(&read(format, old), &read(format, new));
    findings.iter().map(|f| f.rule).collect()
}

#[test]
fn what_the_tools_write_is_sound() {
    for pair in PAIRS {
        for text in [pair.base, pair.next] {
            assert_eq!(check(pair.format, text.as_bytes()), [], "{}", pair.format);
            let windows = text.replace('\n', "\r\n");
            assert_eq!(check(pair.format, windows.as_bytes()), [], "{} with CRLF", pair.format);
        }
    }
    assert_eq!(check(Format::GemfileLock, BUNDLER_SUMS.as_bytes()), []);
}

#[test]
fn sources_are_the_tools_own_registries() {
    for pair in PAIRS.iter().filter(|p| p.format != Format::ComposerLock) {
        let found = examine(pair.format, pair.base.as_bytes(), Some(&[])).findings;
        assert_eq!(found, [], "{}", pair.format);
    }
    let found = examine(Format::ComposerLock, COMPOSER.base.as_bytes(), None).findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].rule, Rule::ForeignHost);
}

#[test]
fn a_lockfile_agrees_with_the_manifest_it_was_made_from() {
    for pair in PAIRS {
        let Some((base, next)) = pair.manifests else {
            let code = Agreement::NotChecked("the manifest is code".to_owned());
            assert_eq!(agreement(pair.format, pair.base, ""), code, "{}", pair.format);
            continue;
        };
        assert_eq!(agreement(pair.format, pair.base, base), Agreement::Agrees, "{}", pair.format);
        assert_eq!(agreement(pair.format, pair.next, next), Agreement::Agrees, "{}", pair.format);
        for (lock, other) in [(pair.base, next), (pair.next, base)] {
            let found = agreement(pair.format, lock, other);
            assert!(matches!(found, Agreement::Drift(_)), "{}: {found:?}", pair.format);
        }
    }
}

#[test]
fn drift_is_said_in_the_manifests_words() {
    let drift = |pair: &Pair| match agreement(pair.format, pair.base, pair.manifests.unwrap().1) {
        Agreement::Drift(reasons) => reasons,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        drift(&YARN_CLASSIC),
        [
            "package.json asks for ms@2.0.0 (dependencies), the lockfile has no entry for that",
            "package.json asks for is-even@1.0.0 (dependencies), the lockfile has no entry for that"
        ]
    );
    for pair in [PNPM5, PNPM6, PNPM9, BUN] {
        assert_eq!(
            drift(&pair),
            [
                "package.json asks for ms@2.0.0 (dependencies), the lockfile was made for ^2.1.2",
                "package.json asks for is-even@1.0.0 (dependencies), the lockfile has none"
            ]
        );
    }
    assert_eq!(
        drift(&UV),
        [
            "pyproject.toml asks for idna ==3.4, the lockfile was made for >=3.4,<4",
            "pyproject.toml asks for six ==1.16.0, the lockfile has none for it"
        ]
    );
    assert_eq!(drift(&GO), ["go.mod requires example.com/lab/alpha v1.0.0, go.sum has no hash of it"]);
    for pair in [POETRY, PIPENV, COMPOSER] {
        assert_eq!(drift(&pair).len(), 1);
    }
}

#[test]
fn what_is_not_compared_is_said() {
    let resolutions = r#"{"resolutions": {"a": "1"}, "dependencies": {"ms": "^2.1.2"}}"#;
    for pair in [YARN_CLASSIC, YARN_BERRY, PNPM9] {
        let found = agreement(pair.format, pair.base, resolutions);
        assert_eq!(found, Agreement::NotChecked("package.json has `resolutions`".to_owned()));
    }
    for (pair, manifest) in [
        (UV, "[project]\nname = \"demo\"\ndynamic = [\"dependencies\"]\n"),
        (UV, "not toml"),
        (POETRY, "[tool.poetry]\ndependencies = { a = 1.5 }\n"),
        (PIPENV, "[packages]\n"),
        (COMPOSER, "{\"extra\": 1.5}"),
        (BUN, "[]"),
    ] {
        let found = agreement(pair.format, pair.base, manifest);
        assert!(matches!(found, Agreement::NotChecked(_)), "{}: {found:?}", pair.format);
    }
}

#[test]
fn an_alias_has_its_real_name() {
    for pair in [YARN_CLASSIC, YARN_BERRY, PNPM5, PNPM6, PNPM9, BUN] {
        let found = entry(&pair, "left-pad");
        assert_eq!(found.version.as_deref(), Some("1.3.0"), "{}", pair.format);
        assert!(!found.checksums.is_empty(), "{}", pair.format);
    }
}

/// The same archive has the same checksum in the lockfiles of all who name it.
#[test]
fn tools_agree_on_checksums() {
    let sri: Vec<Checksum> = [YARN_CLASSIC, PNPM5, PNPM6, PNPM9, BUN]
        .iter()
        .map(|p| entry(p, "ms").checksums[0].clone())
        .collect();
    assert!(sri.windows(2).all(|two| two[0] == two[1]), "{sri:?}");
    let sums = |pair: &Pair| {
        let mut sums = entry(pair, "idna").checksums;
        sums.sort();
        sums
    };
    assert_eq!(sums(&POETRY), sums(&UV));
    assert_eq!(sums(&POETRY), sums(&PIPENV));
}

#[test]
fn a_change_is_said_in_terms_of_packages() {
    for (pair, want) in [
        (
            YARN_CLASSIC,
            "version: ms 2.1.3 -> 2.0.0\nadded: is-buffer 1.1.6\nadded: is-even 1.0.0\nadded: is-number 3.0.0\nadded: is-odd 0.1.2\nadded: kind-of 3.2.2",
        ),
        (POETRY, "version: idna 3.20 -> 3.4\nadded: six 1.16.0"),
        (UV, "version: idna 3.20 -> 3.4\nadded: six 1.16.0\ndepends on something else: demo 0.1.0"),
        (PIPENV, "version: idna 3.20 -> 3.4\nadded: six 1.16.0"),
        (
            GO,
            "version: example.com/lab/alpha v1.1.0 -> v1.0.0\nversion: example.com/lab/alpha v1.1.0/go.mod -> v1.0.0/go.mod",
        ),
        (BUNDLER, "version: minitest 5.17.0 -> 5.15.0\nadded: power_assert 2.0.1\nadded: test-unit 3.5.3"),
        (COMPOSER, "version: lab/log 3.0.1 -> 3.0.0"),
        (NUGET, "version: Lab.Json 13.0.3 -> 13.0.1\ndepends on something else: demo.core"),
        (GRADLE_SUMS, "version: org.lab:alpha 1.1.0 -> 1.0.0"),
    ] {
        let (old, new) = (read(pair.format, pair.base), read(pair.format, pair.next));
        assert_eq!(diff(&old, &new).to_string(), want, "{}", pair.format);
    }
    for pair in PAIRS {
        assert_eq!(changes(pair.format, pair.base, pair.next), [Rule::Downgraded], "{}", pair.format);
    }
}

/// One digit of a checksum, and nothing else.
#[test]
fn a_checksum_that_changed_is_loud_in_every_format() {
    let mut tried = 0;
    for (format, text) in
        PAIRS.iter().map(|p| (p.format, p.base)).chain([(Format::GemfileLock, BUNDLER_SUMS)])
    {
        let old = read(format, text);
        let Some(victim) = old.entries.iter().find(|e| !e.checksums.is_empty()) else { continue };
        let mut digest = victim.checksums[0].digest().to_vec();
        digest[0] ^= 1;
        let new = Checksum::new(victim.checksums[0].algorithm(), &digest).unwrap();
        let changed = match replace_checksum(
            format,
            text.as_bytes(),
            &victim.key(),
            Some(&victim.checksums[0]),
            &new,
        ) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            // Its elements name the algorithm apart, so no checksum is ever written there.
            Err(_) => {
                assert_eq!(format, Format::GradleVerification);
                let hex = |digest: &[u8]| digest.iter().map(|b| format!("{b:02x}")).collect::<String>();
                text.replace(&hex(victim.checksums[0].digest()), &hex(&digest))
            }
        };
        assert_eq!(changes(format, text, &changed), [Rule::ChecksumChanged], "{format}");
        tried += 1;
    }
    assert_eq!(tried, 14);
}

#[test]
fn yarns_cache_key_makes_checksums_incomparable() {
    let other = YARN_BERRY.base.replace("10c0", "8").replace("8/33", "8/44");
    assert_eq!(changes(Format::YarnBerry, YARN_BERRY.base, &other), [Rule::ChecksumsIncomparable]);
}

#[test]
fn each_damage_has_its_sentence_and_line() {
    use Format as F;
    let sum = "a".repeat(64);
    for (format, text, want) in [
        (
            F::YarnClassic,
            "a@1:\n   version \"1\"\n",
            "line 2, column 4: an indentation that does not fit the line before",
        ),
        (
            F::YarnClassic,
            "a@1:\n  resolved \"x\"\nb@1:\n  version \"1\"\n",
            "line 1, column 1: an entry without `version`",
        ),
        (F::YarnClassic, "a@1:\n  version \"1", "line 2: the text ends in the middle of a value"),
        (F::YarnClassic, "a@1:\n  resolved \"x\"\n", "line 2: the text ends in the middle of a value"),
        (
            F::YarnClassic,
            "# yarn lockfile v2\n\na@1:\n",
            "line 1: yarn lockfile version 2 can't be read here",
        ),
        (F::YarnClassic, "a@1, a@1:\n  version \"1\"\n", "line 1: a@1 stands twice, first on line 1"),
        (
            F::YarnClassic,
            "a@1:\n  version \"1\"\n  dependencies:\n    b \"^2\"\n",
            "line 1: a 1 needs b@^2, which is not in the lockfile",
        ),
        (
            F::YarnClassic,
            "a@1:\n  version \"1\"\n  resolved \"https://r/a.tgz#12\"\n",
            "line 3: the checksum of a 1 is malformed: the SHA-1 behind the URL is not 40 hex digits",
        ),
        (F::YarnBerry, "__metadata:\n  version: 3\n", "line 2: yarn lockfile version 3 can't be read here"),
        (F::YarnBerry, "a: 1\n", "line 1, column 1: expected `__metadata` in a yarn lockfile"),
        (F::PnpmLock, "a: 1\n", "line 1, column 1: expected `lockfileVersion` in a pnpm lockfile"),
        (F::PnpmLock, "lockfileVersion: '7.0'\n", "line 1: pnpm lockfile version 7.0 can't be read here"),
        (
            F::PnpmLock,
            "lockfileVersion: '9.0'\npackages: []\n",
            "line 2, column 11: expected a mapping as `packages`",
        ),
        (
            F::PnpmLock,
            "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a: {specifier: ^1, version: 1.0.0}\n",
            "line 3: the project needs a@1.0.0, which is not in the lockfile",
        ),
        (
            F::PnpmLock,
            "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {integrity: sha512-AA==}\n",
            "line 4: the checksum of a 1.0.0 is malformed: sha512 digest has 1 bytes instead of 64",
        ),
        (F::BunLock, "{\"lockfileVersion\": 3,}", "line 1: bun lockfile version 3 can't be read here"),
        (
            F::BunLock,
            "{\"lockfileVersion\": 1, \"workspaces\": {\n\"lp\": \"npm:left-pad@1.3.0\",\n}}",
            "line 2, column 7: expected an object as the workspace `lp`",
        ),
        (
            F::BunLock,
            "{\"lockfileVersion\": 1, \"workspaces\": {\"\": {}, \"devDependencies\": {}}}",
            "line 1, column 66: expected `name` in the workspace `devDependencies`",
        ),
        (
            F::BunLock,
            "{\"lockfileVersion\": 1, \"packages\": {\"a\": [\"a@1.\", \"\", {}]}}",
            "line 1, column 42: `1.` is no version",
        ),
        (
            F::BunLock,
            "{\"lockfileVersion\": 1, \"packages\": {\"a\": [\": a@1.0.0\", \"\", {}]}}",
            "line 1, column 42: `: a` is no package's name",
        ),
        (F::BunLock, "{\"lockfileVersion\": 1}", "line 1, column 1: expected `workspaces` in a bun lockfile"),
        (F::BunLock, "{\"lockfileVersion\": 1,", "line 1: the text ends in the middle of a value"),
        (F::BunLock, "{\"lockfileVersion\": 1,,}", "line 1, column 23: expected a key in quotes"),
        (
            F::BunLock,
            "{\"lockfileVersion\": 1, \"workspaces\": {}, \"packages\": {\n\"a\": [\"a@1.0.0\", \"\", {\"dependencies\": {\"b\": \"2\"}}]}}",
            "line 2: a 1.0.0 needs b@2, which is not in the lockfile",
        ),
        (
            F::PoetryLock,
            "[[package]]\nname = \"a\"\nversion = \"1\"\n",
            "line 3: the text ends in the middle of a value",
        ),
        (
            F::PoetryLock,
            "[metadata]\nlock-version = \"3.0\"\n",
            "line 2: poetry lock version 3.0 can't be read here",
        ),
        (
            F::PoetryLock,
            "[[package]]\nname = \"a\"\nversion = \"1\"\n[package.dependencies]\nB = \">=2\"\n[metadata]\n",
            "line 2: a 1 needs b >=2, which is not in the lockfile",
        ),
        (F::UvLock, "version = 2\n", "line 1: uv lockfile version 2 can't be read here"),
        (
            F::UvLock,
            "version = 1\nrequires-python = \">=3\"\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = { registry = \"https://pypi.org/simple\" }\ndependencies = [{ name = \"b\" }]\n",
            "line 4: a 1 needs b, which is not in the lockfile",
        ),
        (F::UvLock, "version = 1\n", "line 1, column 1: expected `requires-python` in a uv lockfile"),
        (F::PipfileLock, "{\"default\": {}}", "line 1, column 1: expected `_meta` in a Pipfile.lock"),
        (F::GoSum, "a v1.0.0\n", "line 1, column 1: expected module, version and hash"),
        (F::GoSum, "a v1.0.0", "line 1: the text ends in the middle of a value"),
        (
            F::GoSum,
            "a v1.0.0 h1:AA==\n",
            "line 1: the checksum of a v1.0.0 is malformed: sha256 digest has 1 bytes instead of 32",
        ),
        (
            F::GemfileLock,
            "GEM\n  remote: https://rubygems.org/\n",
            "line 2: the text ends in the middle of a value",
        ),
        (
            F::GemfileLock,
            "GEM\n  remote: https://rubygems.org/\n    a (1.0)\n\nDEPENDENCIES\n  a\n",
            "line 3, column 5: gems before `specs:`",
        ),
        (
            F::GemfileLock,
            "GEM\n  specs:\n    a (1.{0)\n\nDEPENDENCIES\n  a\n",
            "line 3, column 5: what stands in brackets is no version",
        ),
        (
            F::GemfileLock,
            "GEM\n  specs:\n    a (1.0)\n\nDEPENDENCIES\n  a (~? 1)\n\nBUNDLED WITH\n   2.3.15\n",
            "line 6, column 3: expected a gem with its range",
        ),
        (F::GemfileLock, "nonsense\n", "line 1, column 1: expected the head of a section"),
        (
            F::GemfileLock,
            "GEM\n  specs:\n    a (1.0)\n      b (>= 2)\n\nDEPENDENCIES\n  a\n",
            "line 3: a 1.0 needs b, which is not in the lockfile",
        ),
        (
            F::GemfileLock,
            "GEM\n  specs:\n    a (1.0)\n    a (1.1)\n\nDEPENDENCIES\n  a\n",
            "line 4: a 1.1 stands twice, first on line 3",
        ),
        (F::ComposerLock, "{}", "line 1, column 1: expected `packages` in a composer lockfile"),
        (
            F::ComposerLock,
            "{\"packages\": [\n{\"name\": \"a/a\", \"version\": \"1\", \"require\": {\"b/b\": \"^2\", \"php\": \"*\"}}]}",
            "line 2: a/a 1 needs b/b ^2, which is not in the lockfile",
        ),
        (F::NugetLock, "{\"version\": 3}", "line 1: NuGet lockfile version 3 can't be read here"),
        (
            F::GradleLock,
            "a:b:1=c\na:b\nempty=\n",
            "line 2, column 1: expected a module and its configurations",
        ),
        (F::GradleLock, "a:b:1=c\na:b:1=d\nempty=\n", "line 2: a:b 1 stands twice, first on line 1"),
        (
            F::GradleVerification,
            "<verification-metadata>\n<components>",
            "line 2: the text ends in the middle of a value",
        ),
        (F::GradleVerification, "<a/>", "line 1, column 1: expected `verification-metadata`"),
        (
            F::GradleVerification,
            &format!(
                "<verification-metadata><components>\n<component group='g' name='n' version='1'>\n<artifact name='n.jar'><sha1 value='{sum}'/></artifact></component></components></verification-metadata>"
            ),
            "line 3: the checksum of g:n 1 is malformed: sha1 digest has 32 bytes instead of 20",
        ),
    ] {
        let found = check(format, text.as_bytes());
        assert_eq!(
            found.first().map(ToString::to_string).as_deref(),
            Some(want),
            "{format}: {text:?} {found:?}"
        );
    }
}

#[test]
fn bombs_and_hostile_sizes_end_soon() {
    let entities = "<!DOCTYPE a [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;\">]><verification-metadata>&b;</verification-metadata>";
    let aliases = "lockfileVersion: '9.0'\na: &a [x]\nb: [*a, *a]\n";
    let mut texts = vec![
        (Format::GradleVerification, entities.to_owned()),
        (Format::GradleVerification, "<a>".repeat(500_000)),
        (Format::PnpmLock, aliases.to_owned()),
        (Format::PnpmLock, "[".repeat(50_000)),
        (Format::YarnBerry, "[".repeat(50_000)),
    ];
    for format in [Format::BunLock, Format::ComposerLock, Format::PipfileLock, Format::NugetLock] {
        texts.push((format, "[".repeat(1_000_000)));
    }
    for format in [Format::PoetryLock, Format::UvLock] {
        texts.push((format, format!("a = {}", "[".repeat(1_000_000))));
    }
    for (format, text) in texts {
        let found = check(format, text.as_bytes());
        assert!(found.iter().any(regreen_lockfile::Problem::is_damage), "{format}: {found:?}");
    }
    let wide = format!("{}:\n  version \"1\"\n", vec!["a@1"; 50_000].join(", "));
    assert_eq!(check(Format::YarnClassic, wide.as_bytes()).len(), 49_999);
}
