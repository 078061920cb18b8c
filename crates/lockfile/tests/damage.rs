//! What is found wrong in damaged lockfiles, and on which line.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod fixture;

use fixture::{ALL, Branches, CARGO, CARGO_V1, NPM1, NPM2, NPM3, PIP, WORKSPACES};
use regreen_lockfile::{Damage, Format, Problem, check, parse};

fn told(format: Format, text: &str) -> Vec<String> {
    check(format, text.as_bytes()).iter().map(ToString::to_string).collect()
}

#[test]
fn what_the_tools_write_is_sound() {
    for Branches { format, base, ours, theirs, both } in ALL {
        for text in [base, ours, theirs, both] {
            assert_eq!(told(format, text), [""; 0], "{format}");
        }
    }
    assert_eq!(told(Format::NpmLock, WORKSPACES), [""; 0]);
    assert_eq!(told(Format::CargoLock, CARGO_V1), [""; 0]);
}

#[test]
fn what_stands_in_the_place_of_a_list_or_mapping_is_damage_as_for_the_tools() {
    let find = |format: Format| ALL.iter().find(|of| of.format == format).unwrap();
    let uv = find(Format::UvLock).both;
    let group = "[package.dev-dependencies]\n";
    let stray = uv.replacen(group, &format!("{group}name = \"idna\"\n"), 1);
    assert_ne!(stray, uv);
    assert!(
        told(Format::UvLock, &stray)[0].ends_with("expected a list"),
        "{:?}",
        told(Format::UvLock, &stray)
    );
    let pnpm =
        ALL.iter().filter(|of| of.format == Format::PnpmLock).find(|of| of.both.contains("snapshots:\n"));
    let stray = pnpm.unwrap().both.replacen("snapshots:\n", "snapshots:\n\n  kind-of@3.2.2:\n", 1);
    let said = told(Format::PnpmLock, &stray);
    assert!(said[0].ends_with("expected a mapping as `kind-of@3.2.2`"), "{said:?}");
}

#[test]
fn each_damage_has_its_sentence_and_line() {
    use Format::{CargoLock, NpmLock, PipRequirements};
    let hash = "a".repeat(64);
    for (format, text, want) in [
        (NpmLock, "", vec!["the file is empty"]),
        (CargoLock, " \n\n", vec!["the file is empty"]),
        (PipRequirements, "", vec![]),
        (NpmLock, "{\n\0", vec!["line 2: not text: a NUL byte"]),
        (NpmLock, "{\n<<<<<<< HEAD\n", vec!["line 2: conflict markers of an unresolved merge"]),
        (
            NpmLock,
            "{\"lockfileVersion\": 3, \"packages\": {\n  \"a\"\n",
            vec!["line 2: the text ends in the middle of a value"],
        ),
        (NpmLock, "{\n  \"a\": 1,\n}\n", vec!["line 3, column 1: expected a key in quotes"]),
        (NpmLock, "[]", vec!["line 1, column 1: expected the object of an npm lockfile"]),
        (NpmLock, "{}", vec!["line 1, column 1: expected `lockfileVersion` in an npm lockfile"]),
        (NpmLock, "{\"lockfileVersion\": 4}", vec!["line 1: lockfile version 4 can't be read here"]),
        (
            NpmLock,
            "{\"lockfileVersion\": 3,\n\"packages\": {\n\"node_modules/a\": {\"version\": \"1.0.0\"},\n\"node_modules/a\": {\"version\": \"2.0.0\"}}}",
            vec!["line 4: the key `node_modules/a` stands twice, first on line 3"],
        ),
        (
            NpmLock,
            "{\"lockfileVersion\": 3, \"packages\": {\n\"node_modules/a\": {\"version\": \"1.0.0\", \"dependencies\": {\"b\": \"^2\"},\n\"integrity\": \"sha512-AAAA\"}}}",
            vec![
                "line 2: a 1.0.0 needs b@^2, which is not in the lockfile",
                "line 3: the checksum of a 1.0.0 is malformed: sha512 digest has 3 bytes instead of 64",
            ],
        ),
        (
            NpmLock,
            "{\"lockfileVersion\": 3, \"packages\": {\n\"node_modules/a\": {\"version\": \"1.0.0\",\n\"integrity\": \"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=\"}}}",
            vec!["line 2: a 1.0.0 has no checksum stronger than sha1"],
        ),
        (CargoLock, "version = 5\n", vec!["line 1: lockfile version 5 can't be read here"]),
        (
            CargoLock,
            "version = 4\n[[package]]\nname = \"a\"\n",
            vec!["line 3: the text ends in the middle of a value"],
        ),
        (
            CargoLock,
            "[[package]]\nname = \"a\"\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\n",
            vec!["line 2, column 1: a table without `version`"],
        ),
        (CargoLock, "[[package]]\nname = 3\nversion = \"1\"\n", vec!["line 2, column 8: expected a string"]),
        (
            CargoLock,
            "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"abc\"\ndependencies = [\n \"b\",\n]\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n",
            vec![
                "line 2: a 1.0.0 needs b, which is not in the lockfile",
                "line 4: the checksum of a 1.0.0 is malformed: sha256 digest is not written in the right alphabet",
                "line 9: a 1.0.0 stands twice, first on line 2",
            ],
        ),
        (PipRequirements, "a==1 \\\n", vec!["line 1: the text ends in the middle of a value"]),
        (PipRequirements, "# c\n  {}\n", vec!["line 2, column 3: neither a requirement nor an option"]),
        (PipRequirements, "a==1\nA==2\n", vec!["line 2: a 2 stands twice, first on line 1"]),
        (
            PipRequirements,
            "a==1 \\\n  --hash=sha256:12\n",
            vec!["line 2: the checksum of a 1 is malformed: sha256 digest has 1 bytes instead of 32"],
        ),
        (
            PipRequirements,
            &format!("a==1 --hash=sha256:{hash}\nb==1\n"),
            vec!["line 2: b 1 has no checksum, unlike its neighbours"],
        ),
    ] {
        assert_eq!(told(format, text), want, "{text:?}");
    }
    let latin = check(NpmLock, b"{\n\"\xe9\"}");
    assert_eq!(latin[0].to_string(), "line 2: not text: bytes that are not UTF-8");
    let unknown = check(CargoLock, b"version = 9\n");
    assert!(!unknown[0].is_damage());
}

/// A cut file is recognised wherever it is cut; what remains readable is a whole number of entries.
#[test]
fn a_cut_file_is_truncated() {
    for Branches { format, base, .. } in [NPM1, NPM2, NPM3, CARGO] {
        for cut in 1..base.trim_end().len() {
            match parse(format, &base.as_bytes()[..cut]) {
                Ok(_) if format == Format::CargoLock => {}
                Err(Damage::Truncated { .. }) => {}
                other => panic!("{format} cut at {cut}: {other:?}\n{}", &base[..cut]),
            }
        }
    }
    for cut in 1..CARGO_V1.trim_end().len() {
        let found = parse(Format::CargoLock, &CARGO_V1.as_bytes()[..cut]);
        assert!(matches!(found, Ok(_) | Err(Damage::Truncated { .. })), "cut at {cut}: {found:?}");
    }
    for cut in 1..PIP.base.trim_end().len() {
        let found = parse(Format::PipRequirements, &PIP.base.as_bytes()[..cut]);
        assert!(matches!(found, Ok(_) | Err(Damage::Truncated { .. })), "cut at {cut}: {found:?}");
    }
}

#[test]
fn a_byte_order_mark_moves_no_line() {
    for Branches { format, base, .. } in ALL {
        let marked = format!("\u{feff}{base}");
        assert_eq!(
            parse(format, marked.as_bytes()).unwrap().entries.len(),
            parse(format, base.as_bytes()).unwrap().entries.len()
        );
    }
}

#[test]
fn hostile_sizes_end_soon() {
    let deep = "[".repeat(2_000_000);
    assert!(matches!(
        check(Format::NpmLock, deep.as_bytes())[..],
        [Problem::Damage(Damage::Unparsable { .. })]
    ));
    let deep = format!("a = {deep}");
    assert!(!check(Format::CargoLock, deep.as_bytes()).is_empty());
    let path = "a/".repeat(500_000);
    let many: String = (0..20_000).map(|n| format!("\"d{n}\": \"1\",")).collect();
    let wide = format!(
        "{{\"lockfileVersion\": 3, \"packages\": {{\"{path}\": {{\"dependencies\": {{{many}\"z\": \"1\"}}}}}}}}"
    );
    assert!(check(Format::NpmLock, wide.as_bytes()).is_empty());
    let hashes = "--hash=sha256:0 ".repeat(50_000);
    assert_eq!(check(Format::PipRequirements, format!("a==1 {hashes}").as_bytes()).len(), 50_000);
}
