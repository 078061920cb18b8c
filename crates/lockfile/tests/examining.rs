//! What an examiner says of a lockfile: its sources, and what became of it.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod fixture;

use fixture::{ALL, NPM3, PIP, read};
use regreen_lockfile::{AllowedHost, Format, Rule, Severity, examine, examine_changes};

fn hosts(of: &[&str]) -> Vec<AllowedHost> {
    of.iter().map(|host| AllowedHost::parse(host).unwrap()).collect()
}

fn told(format: Format, text: &str, allowed: Option<&[AllowedHost]>) -> Vec<String> {
    let findings = examine(format, text.as_bytes(), allowed).findings;
    findings.iter().map(|f| format!("{} {} {}: {}", f.severity.id(), f.rule, f.line, f.message)).collect()
}

fn changed(format: Format, old: &str, new: &str) -> Vec<String> {
    let (_, findings) = examine_changes(&read(format, old), &read(format, new));
    findings.iter().map(|f| format!("{} {}: {}", f.rule, f.line, f.message)).collect()
}

#[test]
fn what_the_tools_write_is_sound_and_from_their_own_registries() {
    for branches in ALL {
        for text in [branches.base, branches.ours, branches.theirs, branches.both] {
            assert_eq!(told(branches.format, text, Some(&[])), [""; 0], "{}", branches.format);
        }
    }
}

#[test]
fn hosts_and_protocols() {
    let from = |url: &str| {
        format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\n\"node_modules/a\": {{\"version\": \"1.0.0\", \"resolved\": \"{url}\"}},\n\"node_modules/b\": {{\"version\": \"2.0.0\", \"resolved\": \"{url}\"}}}}}}"
        )
    };
    let told = |url: &str, allowed: Option<&[AllowedHost]>| told(Format::NpmLock, &from(url), allowed);
    let none: [&str; 0] = [];
    assert_eq!(told("https://registry.npmjs.org/x.tgz", Some(&[])), none);
    assert_eq!(
        told("https://npm.example/x.tgz", None),
        ["note foreign-host 2: npm.example is not the tool's default registry: a 1.0.0 and 1 more"]
    );
    assert_eq!(
        told("https://npm.example/x.tgz", Some(&hosts(&["other.example"]))),
        ["error foreign-host 2: npm.example is not an allowed host: a 1.0.0 and 1 more"]
    );
    assert_eq!(told("https://npm.example/x.tgz", Some(&hosts(&["*.example"]))), none);
    assert_eq!(
        told("http://registry.npmjs.org/x.tgz", None),
        ["error insecure-protocol 2: unprotected protocol to registry.npmjs.org: a 1.0.0 and 1 more"]
    );
    assert_eq!(
        told("git://github.com/a/b.git#0f", None),
        [
            "error insecure-protocol 2: unprotected protocol to github.com: a 1.0.0 and 1 more",
            "note git-source 2: from a git repository on github.com: a 1.0.0 and 1 more"
        ]
    );
    let secret = told("https://bob:hunter2@registry.npmjs.org/x.tgz", None);
    assert_eq!(
        secret,
        [
            "error credentials-in-lockfile 2: credentials in the URL for registry.npmjs.org: a 1.0.0 and 1 more"
        ]
    );
    let index = format!("--index-url http://pypi.example/simple\n{}", PIP.base);
    assert_eq!(
        pip_told(&index),
        [
            "error insecure-protocol 1: unprotected protocol to pypi.example: an entry or setting",
            "note foreign-host 1: pypi.example is not the tool's default registry: an entry or setting"
        ]
    );
}

fn pip_told(text: &str) -> Vec<String> {
    told(Format::PipRequirements, text, None)
}

#[test]
fn damage_has_its_rule() {
    for (text, rule, line, column) in [
        ("", Rule::Empty, 1, None),
        ("{\n<<<<<<< HEAD\n", Rule::ConflictMarkers, 2, None),
        ("{\n  \"a\": 1,\n}\n", Rule::Unparsable, 3, Some(1)),
        ("{\n", Rule::Truncated, 1, None),
        ("{\"lockfileVersion\": 4}", Rule::Unsupported, 1, None),
        ("{\n\0", Rule::NotText, 2, None),
    ] {
        let examined = examine(Format::NpmLock, text.as_bytes(), None);
        let [finding] = examined.findings.as_slice() else { panic!("{text:?}: {examined:?}") };
        assert_eq!((finding.rule, finding.line, finding.column), (rule, line, column), "{text:?}");
        assert!(!finding.message.starts_with("line"), "{}", finding.message);
        assert_eq!(examined.lockfile, None);
    }
    assert_eq!(Rule::Unsupported.severity(), Severity::Note);
}

#[test]
fn a_checksum_does_not_change_without_its_version() {
    let sha = |letter: &str| letter.repeat(64);
    let npm = |version: &str, integrity: &str| {
        format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\n\"node_modules/a\": {{\"version\": \"{version}\", \"integrity\": \"{integrity}\"}}}}}}"
        )
    };
    let sha1 = ["sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "sha1-3jmj7l5rSw0yVb/vlWAYkK/YBwk="];
    let sha512 = format!("sha512-{}==", "A".repeat(86));
    let none: [&str; 0] = [];
    for (old, new, want) in [
        (npm("1.0.0", sha1[0]), npm("1.0.0", sha1[0]), None),
        (npm("1.0.0", sha1[0]), npm("1.0.1", sha1[1]), None),
        (
            npm("1.0.0", sha1[0]),
            npm("1.0.0", sha1[1]),
            Some(
                "checksum-changed 2: a 1.0.0 has another checksum than before: sha1:da39a3ee5e6b… became sha1:de39a3ee5e6b…",
            ),
        ),
        (
            npm("1.0.0", &sha512),
            npm("1.0.0", sha1[0]),
            Some("checksum-dropped 2: a 1.0.0 had a sha512 checksum before, and has only sha1 now"),
        ),
        (
            npm("1.0.0", sha1[0]),
            npm("1.0.0", &sha512),
            Some("checksum-added 2: a 1.0.0 has a checksum that it did not have before"),
        ),
        (npm("2.0.0", sha1[0]), npm("1.9.0", sha1[1]), Some("downgraded 2: a went from 2.0.0 back to 1.9.0")),
    ] {
        let want: Vec<&str> = want.into_iter().collect();
        assert_eq!(changed(Format::NpmLock, &old, &new), want);
    }
    let (a, b, c) = (sha("a"), sha("b"), sha("c"));
    let pip = |hashes: &[&str]| {
        let hashes: String = hashes.iter().map(|h| format!(" --hash=sha256:{h}")).collect();
        format!("x==1{hashes}\n")
    };
    // Wheels that were uploaded later, and one that was taken away.
    assert_eq!(
        changed(Format::PipRequirements, &pip(&[&a]), &pip(&[&a, &b])),
        ["checksum-added 1: x 1 has a checksum that it did not have before"]
    );
    assert_eq!(changed(Format::PipRequirements, &pip(&[&a, &b]), &pip(&[&a])), none);
    assert_eq!(
        changed(Format::PipRequirements, &pip(&[&a, &b]), &pip(&[&a, &c])),
        [format!(
            "checksum-changed 1: x 1 has another checksum than before: sha256:{}… became sha256:{}…",
            &b[..12],
            &c[..12]
        )]
    );
    assert_eq!(
        changed(Format::PipRequirements, &pip(&[&a]), "x==1\n"),
        ["checksum-dropped 1: x 1 had a checksum before, and has none now"]
    );
}

#[test]
fn which_file_has_another_checksum_is_told() {
    let sum = |letter: &str| format!("sha256:{}", letter.repeat(64));
    let uv = |files: &[(&str, &str)]| {
        let wheels: String = (files.iter())
            .map(|(file, letter)| {
                format!("{{ url = \"https://files.pythonhosted.org/{file}\", hash = \"{}\" }},", sum(letter))
            })
            .collect();
        format!(
            "version = 1\nrequires-python = \">=3.9\"\n[[package]]\nname = \"x\"\nversion = \"1\"\nsource = {{ registry = \"https://pypi.org/simple\" }}\nwheels = [{wheels}]\n"
        )
    };
    let pipenv = |letters: &[&str]| {
        let hashes: Vec<String> = letters.iter().map(|l| format!("\"{}\"", sum(l))).collect();
        format!(
            "{{\"_meta\": {{\"pipfile-spec\": 6}}, \"default\": {{\"x\": {{\"hashes\": [{}], \"version\": \"==1\"}}}}}}",
            hashes.join(", ")
        )
    };
    let (any, win, mac) =
        ("x-1-py3-none-any.whl", "x-1-py3-none-win32.whl", "x-1-py3-none-macosx_11_0_arm64.whl");
    for (old, new, want) in [
        (vec![(any, "a"), (win, "b")], vec![(win, "b"), (any, "a")], None),
        (
            vec![(any, "a"), (win, "b")],
            vec![(any, "a"), (win, "c")],
            Some(
                "checksum-changed 4: x 1 has another checksum of x-1-py3-none-win32.whl than before: sha256:bbbbbbbbbbbb… became sha256:cccccccccccc…",
            ),
        ),
        // Exchanged: the set is the same.
        (
            vec![(any, "a"), (win, "b")],
            vec![(any, "b"), (win, "a")],
            Some(
                "checksum-changed 4: x 1 has other checksums of x-1-py3-none-any.whl and 1 more of its files than before: sha256:aaaaaaaaaaaa… became sha256:bbbbbbbbbbbb…",
            ),
        ),
        (
            vec![(any, "a")],
            vec![(any, "a"), (win, "b")],
            Some("checksum-added 4: x 1 has a checksum that it did not have before: x-1-py3-none-win32.whl"),
        ),
        (
            vec![(any, "a"), (win, "b")],
            vec![(any, "a"), (mac, "c")],
            Some(
                "checksum-changed 4: 1 of the checksums that x 1 had are gone, and 1 others have come: x-1-py3-none-macosx_11_0_arm64.whl",
            ),
        ),
    ] {
        let want: Vec<&str> = want.into_iter().collect();
        assert_eq!(changed(Format::UvLock, &uv(&old), &uv(&new)), want);
    }
    for (old, new, want) in [
        (vec!["a", "b"], vec!["b", "a"], None),
        (
            vec!["a", "b"],
            vec!["a", "c"],
            Some(
                "checksum-changed 1: x 1 has another checksum than before: sha256:bbbbbbbbbbbb… became sha256:cccccccccccc…",
            ),
        ),
        (
            vec!["a", "b"],
            vec!["c", "d"],
            Some(
                "checksum-changed 1: x 1 has 2 other checksums than before: sha256:aaaaaaaaaaaa… became sha256:cccccccccccc…",
            ),
        ),
        (
            vec!["a"],
            vec!["c", "d"],
            Some("checksum-changed 1: 1 of the checksums that x 1 had are gone, and 2 others have come"),
        ),
    ] {
        let want: Vec<&str> = want.into_iter().collect();
        assert_eq!(changed(Format::PipfileLock, &pipenv(&old), &pipenv(&new)), want);
    }
    let said = examine_changes(
        &read(Format::UvLock, &uv(&[(any, "a"), (win, "b")])),
        &read(Format::UvLock, &uv(&[(any, "a"), (win, "c")])),
    );
    assert_eq!(
        said.0.to_string(),
        format!("CHECKSUM CHANGED, SAME VERSION: x 1 {win} {} -> {}", sum("b"), sum("c"))
    );
}

#[test]
fn another_host_for_the_same_version_is_told() {
    let elsewhere = NPM3.base.replacen("https://registry.npmjs.org/ms", "https://npm.example/ms", 1);
    let found = changed(Format::NpmLock, NPM3.base, &elsewhere);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("comes from npm.example now, from registry.npmjs.org before"), "{found:?}");
    // Another path on the same host is not.
    let moved = NPM3.base.replacen("https://registry.npmjs.org/ms", "https://registry.npmjs.org/x/ms", 1);
    assert_eq!(changed(Format::NpmLock, NPM3.base, &moved), [""; 0]);
}
