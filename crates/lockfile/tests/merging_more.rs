//! Merges in the formats whose text is a list of sorted entries: what their tools wrote is in `merging`; here is what must
//! not be merged, and formats whose tools were not at hand.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod fixture;

use fixture::{
    ALL, BUNDLER, BUNDLER_SUMS, Branches, COMPOSER, GO, GRADLE, GRADLE_SUMS, NUGET, PAIRS, PIPENV6, PNPM_V6,
    PNPM_V9, POETRY2, UV1, YARN1, read,
};
use regreen_lockfile::{Format, check, merge};

fn merged(format: Format, base: &str, ours: &str, theirs: &str) -> Result<String, Vec<String>> {
    let merged = merge(format, Some(base.as_bytes()), ours.as_bytes(), theirs.as_bytes());
    let merged = merged.map_err(|e| vec![e.to_string()])?;
    match merged.conflicts.is_empty() {
        true => Ok(String::from_utf8(merged.text).unwrap()),
        false => Err(merged.conflicts.iter().map(ToString::to_string).collect()),
    }
}

/// `edits` replace something that stands in the text.
fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from} is not in\n{text}");
        text = text.replacen(from, to, 1);
    }
    text
}

/// Ours, theirs and both, as edits of the base.
fn branches(format: Format, base: &str, ours: &[(&str, &str)], theirs: &[(&str, &str)]) {
    let (left, right) = (edited(base, ours), edited(base, theirs));
    let both = edited(&left, theirs);
    assert_eq!(merged(format, base, &left, &right), Ok(both.clone()), "{format}");
    assert_eq!(merged(format, base, &right, &left), Ok(both.clone()), "{format}, swapped");
    assert_eq!(check(format, both.as_bytes()).iter().filter(|p| p.is_damage()).count(), 0, "{format}");
}

#[test]
fn one_sided_changes_are_that_side() {
    for pair in PAIRS {
        for (ours, theirs, want) in [
            (pair.base, pair.base, pair.base),
            (pair.next, pair.base, pair.next),
            (pair.base, pair.next, pair.next),
            (pair.next, pair.next, pair.next),
        ] {
            assert_eq!(merged(pair.format, pair.base, ours, theirs), Ok(want.to_owned()), "{}", pair.format);
        }
    }
}

#[test]
fn go() {
    branches(
        Format::GoSum,
        GO.base,
        &[(
            "example.com/lab/alpha v1.1.0 h1",
            "example.com/a v1.0.0 h1:c5qPyn0Q6krjwbsqvebOqIkPIbsv2dHs4NEUovpzGgI=\nexample.com/lab/alpha v1.1.0 h1",
        )],
        &[(
            "example.com/lab/beta v0.3.0 h1",
            "example.com/lab/alpha v1.10.0 h1:c5qPyn0Q6krjwbsqvebOqIkPIbsv2dHs4NEUovpzGgI=\nexample.com/lab/beta v0.3.0 h1",
        )],
    );
    // A module whose bytes are said to be other ones on each side.
    let (ours, theirs) = (GO.base.replacen("h1:c5q", "h1:d5q", 1), GO.base.replacen("h1:c5q", "h1:e5q", 1));
    let said = merged(Format::GoSum, GO.base, &ours, &theirs).unwrap_err();
    assert!(said[0].starts_with("example.com/lab/alpha v1.1.0: ours has h1:d5q"), "{said:?}");
    // What one side tidied away, the other may need still.
    let tidied: String = GO.base.lines().filter(|l| !l.contains("beta")).map(|l| format!("{l}\n")).collect();
    let other = GO.base.replacen("example.com/lab/beta v0.3.0 h1", "example.com/lab/b v1.0.0 h1:c5qPyn0Q6krjwbsqvebOqIkPIbsv2dHs4NEUovpzGgI=\nexample.com/lab/beta v0.3.0 h1", 1);
    assert_eq!(merged(Format::GoSum, GO.base, &tidied, &other), Ok(other));
}

#[test]
fn bundler() {
    let ours = &[
        ("    i18n (1.10.0)", "    bigdecimal (3.1.1)\n    i18n (1.10.0)"),
        ("  i18n (~> 1.8)", "  bigdecimal\n  i18n (~> 1.8)"),
    ];
    let theirs = &[
        (
            "    minitest (5.17.0)",
            "    minitest (5.17.0)\n    tzinfo (2.0.4)\n      concurrent-ruby (~> 1.0)",
        ),
        ("  minitest (~> 5.16)", "  minitest (~> 5.16)\n  tzinfo (~> 2.0)"),
    ];
    branches(Format::GemfileLock, BUNDLER.base, ours, theirs);
    // A gem goes with its checksum when nothing needs it any more; of the two that need one each side drops one.
    let gem = "    concurrent-ruby (1.1.6)\n";
    let two = edited(
        BUNDLER_SUMS,
        &[
            (
                "    minitest (5.17.0)\n",
                "    minitest (5.17.0)\n    tzinfo (2.0.4)\n      concurrent-ruby (~> 1.0)\n",
            ),
            ("  minitest (~> 5.16)\n", "  minitest (~> 5.16)\n  tzinfo (~> 2.0)\n"),
        ],
    );
    let ours = edited(
        &two,
        &[("    i18n (1.10.0)\n      concurrent-ruby (~> 1.0)\n", ""), ("  i18n (~> 1.8)\n", "")],
    );
    let ours: String =
        ours.lines().filter(|l| !l.starts_with("  i18n (1.10.0) ")).map(|l| format!("{l}\n")).collect();
    let text = merged(Format::GemfileLock, &two, &ours, BUNDLER_SUMS).unwrap();
    assert!(
        two.contains(gem) && !text.contains("concurrent-ruby") && text.contains("minitest (5.17.0) sha256="),
        "{text}"
    );
    let (left, right) = (
        edited(BUNDLER.base, &[("minitest (5.17.0)", "minitest (5.17.1)")]),
        edited(BUNDLER.base, &[("minitest (5.17.0)", "minitest (5.17.2)")]),
    );
    let said = merged(Format::GemfileLock, BUNDLER.base, &left, &right).unwrap_err();
    assert_eq!(
        said,
        ["minitest: ours has minitest (5.17.1), theirs has minitest (5.17.2), both from minitest (5.17.0)"]
    );
}

#[test]
fn composer() {
    let ours = &[("\"version\": \"3.0.1\"", "\"version\": \"3.0.2\""), ("lab-log-3.0.1", "lab-log-3.0.2")];
    let theirs = &[("\"version\": \"2.0.2\"", "\"version\": \"2.0.3\""), ("lab-box-2.0.2", "lab-box-2.0.3")];
    branches(Format::ComposerLock, COMPOSER.base, ours, theirs);
    let other = edited(
        COMPOSER.base,
        &[
            ("\"content-hash\": \"ffd9", "\"content-hash\": \"0000"),
            ("\"version\": \"2.0.2\"", "\"version\": \"2.0.3\""),
        ],
    );
    let said = merged(Format::ComposerLock, COMPOSER.base, &edited(COMPOSER.base, ours), &other).unwrap_err();
    assert!(
        said[0].ends_with("each side was locked for another manifest, and only composer can lock for both"),
        "{said:?}"
    );
}

#[test]
fn nuget() {
    let added = |name: &str, before: &str| {
        format!(
            "      \"{name}\": {{\n        \"type\": \"Direct\",\n        \"requested\": \"[1.0.0, )\",\n        \"resolved\": \"1.0.0\"\n      }},\n{before}"
        )
    };
    let (ours, theirs) =
        (added("Lab.Aaa", "      \"Lab.Json\": {"), added("Lab.Sss", "      \"Lab.Text\": {"));
    branches(
        Format::NugetLock,
        NUGET.base,
        &[("      \"Lab.Json\": {", &ours)],
        &[("      \"Lab.Text\": {", &theirs)],
    );
}

#[test]
fn gradle() {
    let base = GRADLE.base;
    branches(
        Format::GradleLock,
        base,
        &[("org.lab:alpha:1.1.0=", "org.lab:aaa:1.0=compileClasspath\norg.lab:alpha:1.1.0=")],
        &[
            ("beta:2.0.0=testCompileClasspath", "beta:2.0.1=testCompileClasspath"),
            ("empty=annotationProcessor,test", "empty=annotationProcessor,other,test"),
        ],
    );
    let (left, right) = (base.replace("beta:2.0.0", "beta:2.0.1"), base.replace("beta:2.0.0", "beta:2.0.2"));
    let said = merged(Format::GradleLock, base, &left, &right).unwrap_err();
    assert_eq!(
        said,
        ["org.lab:beta in testCompileClasspath: ours has 2.0.1, theirs has 2.0.2, both from 2.0.0"]
    );

    let component = |name: &str| {
        format!(
            "      <component group=\"org.lab\" name=\"{name}\" version=\"1\">\n         <artifact name=\"{name}.jar\">\n            <sha256 value=\"{}\"/>\n         </artifact>\n      </component>\n",
            "a".repeat(64)
        )
    };
    let (first, second) = (
        "      <component group=\"org.lab\" name=\"alpha\"",
        "      <component group=\"org.lab\" name=\"beta\"",
    );
    let (ours, theirs) = (format!("{}{first}", component("aaa")), format!("{}{second}", component("bbb")));
    branches(Format::GradleVerification, GRADLE_SUMS.base, &[(first, &ours)], &[(second, &theirs)]);
}

/// Their lockfiles hold a hash of the manifest: where that is another one on each side, only the tool can lock; where it is
/// the same, entries are merged as everywhere.
#[test]
fn a_hash_of_the_manifest_is_not_guessed() {
    let hash = |text: &str| {
        let at = text
            .find("content-hash = \"")
            .map(|n| n + 16)
            .or(text.find("\"sha256\": \"").map(|n| n + 11))
            .unwrap();
        text[at..at + 64].to_owned()
    };
    for Branches { format, base, ours, theirs, both } in [POETRY2, PIPENV6] {
        let said = merged(format, base, ours, theirs).unwrap_err();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("the hash of the manifest: "), "{said:?}");
        let same = |text: &str| text.replace(&hash(text), &hash(base));
        assert_eq!(merged(format, base, &same(ours), &same(theirs)), Ok(same(both)), "{format}");
        assert_eq!(merged(format, base, &same(theirs), &same(ours)), Ok(same(both)), "{format}");
    }
}

#[test]
fn another_version_on_each_side_is_a_conflict() {
    for (branches, from, ours, theirs, place) in [
        (YARN1, "version \"3.0.1\"", "version \"3.0.2\"", "version \"3.0.3\"", "is-odd@^3.0.1"),
        (
            PNPM_V9,
            "specifier: ^2.1.2",
            "specifier: ^2.1.3",
            "specifier: ^2.1.1",
            "importers > . > dependencies > ms",
        ),
        (UV1, "version = \"3.20\"", "version = \"3.21\"", "version = \"3.22\"", "idna"),
    ] {
        let (ours, theirs) =
            (edited(branches.base, &[(from, ours)]), edited(branches.base, &[(from, theirs)]));
        let said = merged(branches.format, branches.base, &ours, &theirs).unwrap_err();
        assert!(said[0].starts_with(&format!("{place}: ours has ")), "{said:?}");
    }
}

/// Nothing in a `uv.lock` tells which versions a package can do with, so each keeps what it was resolved with.
#[test]
fn a_package_that_would_get_another_version_is_a_conflict() {
    let added = "[[package]]\nname = \"needy\"\nversion = \"1.0.0\"\nsource = { registry = \"https://pypi.org/simple\" }\ndependencies = [\n    { name = \"idna\" },\n]\n\n[[package]]\nname = \"idna\"";
    let ours = edited(
        UV1.base,
        &[
            ("[[package]]\nname = \"idna\"", added),
            ("    { name = \"idna\" },\n]", "    { name = \"idna\" },\n    { name = \"needy\" },\n]"),
        ],
    );
    let said = merged(Format::UvLock, UV1.base, &ours, UV1.theirs).unwrap_err();
    assert_eq!(
        said,
        [
            "needy 1.0.0: ours has idna 3.20 from https://pypi.org/simple, theirs has nothing; the merge would give it another idna than it had"
        ]
    );
}

/// One side makes a package one of development only, the other begins to need it otherwise.
#[test]
fn pnpm_6_does_not_leave_out_of_production_what_it_needs() {
    let base = PNPM_V6.base;
    let dev = "    resolution: {integrity: sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==}\n";
    let ours = edited(
        base,
        &[
            (&format!("{dev}    dev: false"), &format!("{dev}    dev: true")),
            ("  ms:\n    specifier: ^2.1.2\n    version: 2.1.3\n", ""),
            ("devDependencies:\n", "devDependencies:\n  ms:\n    specifier: ^2.1.2\n    version: 2.1.3\n"),
        ],
    );
    let theirs = edited(
        base,
        &[
            (
                "packages:\n\n",
                "packages:\n\n  /aaa@1.0.0:\n    resolution: {integrity: sha512-t09vSN3MdfsyCHoFcTRCH/iUtG7OJ0CsjzB8cjAmKc/va/kIgeDI/TxsigdncE/4be734m0cvIYwNaV4i2XqAw==}\n    dependencies:\n      ms: 2.1.3\n    dev: false\n\n",
            ),
            ("dependencies:\n", "dependencies:\n  aaa:\n    specifier: 1.0.0\n    version: 1.0.0\n"),
        ],
    );
    let said = merged(Format::PnpmLock, base, &ours, &theirs).unwrap_err();
    assert_eq!(
        said,
        [
            "/ms@2.1.3: ours has nothing, theirs has nothing; together the sides need it not only for development"
        ]
    );
}

#[test]
fn what_nothing_needs_any_more_goes() {
    // One side drops each of two that need a third.
    let lock = |a: bool, b: bool| {
        let importer =
            |name: &str| format!("      {name}:\n        specifier: '1'\n        version: 1.0.0\n");
        let package = |name: &str| {
            format!(
                "  {name}@1.0.0:\n    resolution: {{integrity: sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==}}\n"
            )
        };
        let snapshot = |name: &str| format!("  {name}@1.0.0:\n    dependencies:\n      z: 1.0.0\n");
        let names: Vec<&str> = [("a", a), ("b", b), ("c", true), ("d", true)]
            .into_iter()
            .filter(|(_, there)| *there)
            .map(|(n, _)| n)
            .collect();
        let (needy, plain): (Vec<&str>, Vec<&str>) = names.iter().partition(|n| matches!(**n, "a" | "b"));
        let z = needy.is_empty();
        let mut packages: Vec<String> = names.iter().map(|n| package(n)).collect();
        packages.extend((!z).then(|| package("z")));
        let mut snapshots: Vec<String> = needy.iter().map(|n| snapshot(n)).collect();
        snapshots.extend(plain.iter().map(|n| format!("  {n}@1.0.0: {{}}\n")));
        snapshots.extend((!z).then(|| "  z@1.0.0: {}\n".to_owned()));
        let importers: String = names.iter().map(|n| importer(n)).collect();
        format!(
            "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n{importers}\npackages:\n\n{}\nsnapshots:\n\n{}",
            packages.join("\n"),
            snapshots.join("\n")
        )
    };
    assert_eq!(
        merged(Format::PnpmLock, &lock(true, true), &lock(false, true), &lock(true, false)),
        Ok(lock(false, false))
    );
}

#[test]
fn a_text_that_no_tool_laid_out_is_left_to_people() {
    let odd = YARN1.ours.replace("\n\nms@", "\n\n\nms@");
    assert_eq!(
        merged(Format::YarnClassic, YARN1.base, &odd, YARN1.theirs),
        Err(vec![
            "ours holds entries that are not laid out as its tool does, which can't be merged here"
                .to_owned()
        ])
    );
    let versions = merged(Format::PnpmLock, PNPM_V6.base, PNPM_V6.ours, PNPM_V9.theirs);
    assert_eq!(versions, Err(vec!["ours is lockfile version 6, theirs is version 9".to_owned()]));
}

#[test]
fn every_format_is_merged() {
    let tried: std::collections::BTreeSet<Format> =
        ALL.iter().map(|b| b.format).chain(PAIRS.iter().map(|p| p.format)).collect();
    assert_eq!(tried.len(), Format::ALL.len());
    assert_eq!(read(Format::YarnClassic, YARN1.both).entries.len(), 11);
}
