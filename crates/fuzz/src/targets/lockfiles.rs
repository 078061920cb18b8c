//! Lockfiles: a fork can put anything there.

use regreen_lockfile::{
    Format, Manifest, Merged, agrees_with_manifest, check, diff, hosts, merge, parse, replace_checksum,
    split_conflict,
};

use super::bytes;
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "lockfiles",
    law: "problems and entries name lines of the text; nothing differs from itself; what was merged can be read, as can \
          what a checksum was replaced in",
    run,
    seeds,
    words: &[
        "{",
        "}",
        "[",
        "]",
        "\"\"",
        "null",
        ":",
        ",",
        "[[package]]\n",
        "\\",
        "<<<<<<< ours\n",
        "=======\n",
        ">>>>>>> theirs\n",
        "sha1-",
        "sha512-",
        "sha256:",
        " ; ",
        "@",
        "é",
        "\\u0000",
        "\"lockfileVersion\": 3,",
        "\"packages\": {",
        "\"node_modules/a\": {",
        "\"__proto__\": {",
        "1e999",
        "--hash=",
        "--index-url https://x.example\n",
        "a==1 \\\n",
        "version = 4\n",
        "checksum = \"",
        "dependencies = [\n",
        "source = \"registry+https://",
    ],
    share: 40,
};

const FORMATS: [Format; 3] = [Format::NpmLock, Format::CargoLock, Format::PipRequirements];

fn seeds() -> Vec<Vec<u8>> {
    let sum = "0123456789abcdef".repeat(4);
    let npm = "{\n  \"name\": \"x\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": {\"dependencies\": {\"ms\": \"^2.1.0\"}},\n    \
               \"node_modules/ms\": {\n      \"version\": \"2.1.3\",\n      \"resolved\": \"https://registry.example/ms/-/ms-2.1.3.tgz\",\n      \
               \"integrity\": \"sha1-qqqqqqqqqqqqqqqqqqqqqqqqqqo=\"\n    }\n  }\n}\n";
    let cargo = format!(
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"left\",\n]\n\n[[package]]\nname = \"left\"\nversion = \"1.0.0\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{sum}\"\n"
    );
    let pip = format!(
        "--index-url https://x.example/simple\na==1.0 \\\n    --hash=sha256:{sum}\nb>=1,<2 ; python_version < '3'\n"
    );
    let conflict = "<<<<<<< ours\n  \"a\": 1,\n=======\n  \"a\": 2,\n>>>>>>> theirs\n";
    let text = [npm, &cargo, &pip].map(str::to_owned);
    let torn = text.clone().map(|text| text.replacen('\n', &format!("\n{conflict}"), 1));
    text.iter().chain(&torn).map(|text| bytes(text)).collect()
}

fn run(input: &[u8]) {
    let (ours, theirs) = input.split_at(input.len() / 2);
    let _either = split_conflict(input);
    for format in FORMATS {
        one(format, input);
        for base in [None, Some(input)] {
            if let Ok(merged) = merge(format, base, ours, theirs) {
                readable(format, &merged);
            }
        }
        if let Ok(merged) = merge(format, None, input, input) {
            readable(format, &merged);
        }
    }
}

fn readable(format: Format, merged: &Merged) {
    if merged.conflicts.is_empty() {
        assert!(parse(format, &merged.text).is_ok(), "{:?}", String::from_utf8_lossy(&merged.text));
    }
}

fn one(format: Format, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let lines = text.split('\n').count() as u64;
    for problem in check(format, input) {
        assert!((1..=lines).contains(&problem.line()), "{problem}");
    }
    let Ok(lockfile) = parse(format, input) else { return };
    hosts(&lockfile);
    assert!(diff(&lockfile, &lockfile).is_empty());
    agrees_with_manifest(&lockfile, &Manifest { root: &text, members: &[("a", &text)] });
    for entry in &lockfile.entries {
        assert!((1..=lines).contains(&entry.line));
        for new in &entry.checksums {
            if let Ok(replaced) = replace_checksum(format, input, &entry.key(), None, new) {
                assert!(parse(format, &replaced).is_ok());
            }
        }
    }
}
