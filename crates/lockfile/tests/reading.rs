//! What is read from lockfiles, compared, and looked up.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod fixture;

use fixture::{CARGO, CARGO_V1, NPM1, NPM2, NPM3, PIP, WORKSPACES, read};
use regreen_lockfile::{Format, checksum_of, diff, hosts};

#[test]
fn npm_places_are_the_same_in_every_version() {
    let places = |text| -> Vec<(String, Option<String>, usize)> {
        let read = read(Format::NpmLock, text);
        let installed = read.entries.iter().filter(|e| e.place.contains("node_modules/"));
        installed.map(|e| (e.place.clone(), e.version.clone(), e.checksums.len())).collect()
    };
    assert_eq!(places(NPM1.base), places(NPM3.base));
    assert_eq!(places(NPM2.base), places(NPM3.base));
    assert_eq!(places(NPM3.base).len(), 5);
}

#[test]
fn npm_entries() {
    let lock = read(Format::NpmLock, WORKSPACES);
    assert_eq!(lock.version, Some(3));
    let link = lock.entries.iter().find(|e| e.place == "node_modules/@mono/api").unwrap();
    assert!(link.local && link.version.is_none());
    let ms = lock.entries.iter().find(|e| e.place == "packages/api/node_modules/ms").unwrap();
    assert_eq!((ms.name.as_str(), ms.version.as_deref(), ms.line), ("ms", Some("2.0.0"), 44));
    let api = lock.entries.iter().find(|e| e.place == "packages/api").unwrap();
    let found: Vec<_> = api.dependencies.iter().map(|d| d.place.as_deref().unwrap()).collect();
    assert_eq!(found, ["node_modules/is-number", "packages/api/node_modules/ms"]);
}

#[test]
fn npm_version_1_writes_aliases_and_urls_into_the_version() {
    let text = r#"{"lockfileVersion": 1, "dependencies": {
        "a": {"version": "npm:@real/name@1.2.0"}, "b": {"version": "git+ssh://git@git.example/b.git#0f"},
        "c": {"version": "file:../c"}}}"#;
    let lock = read(Format::NpmLock, text);
    let key = |n: usize| lock.entries[n].key().to_string();
    assert_eq!(
        (key(0), key(1)),
        ("@real/name 1.2.0".to_owned(), "b from git+ssh://git@git.example/b.git#0f".to_owned())
    );
    assert!(lock.entries[2].local);
    assert_eq!(hosts(&lock).into_iter().collect::<Vec<_>>(), ["git.example"]);
}

#[test]
fn cargo_entries_have_their_checksums_in_every_version() {
    let (new, old) = (read(Format::CargoLock, CARGO.base), read(Format::CargoLock, CARGO_V1));
    assert_eq!((new.version, old.version), (Some(4), Some(1)));
    assert!(diff(&old, &new).is_empty(), "{}", diff(&old, &new));
    let registry = Some("registry+https://github.com/rust-lang/crates.io-index");
    let found = checksum_of(&new, "fnv", Some("1.0.7"), registry);
    assert_eq!(
        found[0].to_string(),
        "sha256:3f9eec918d3f24069decb9af1554cad7c880e2da24a9afd88aca000531ab82c1"
    );
    assert!(checksum_of(&new, "fnv", Some("1.0.7"), None).is_empty(), "another source is another package");
    assert!(checksum_of(&new, "fnv", Some("1.0.6"), registry).is_empty());
}

#[test]
fn pip_entries_and_hosts() {
    let text = "--index-url https://me:pw@pypi.example/simple\n-r other.txt\na==1\nb @ https://files.example/b.whl\n-e ./c\n";
    let lock = read(Format::PipRequirements, text);
    assert_eq!(hosts(&lock).into_iter().collect::<Vec<_>>(), ["files.example", "pypi.example"]);
    assert_eq!(
        lock.entries.iter().map(|e| (e.line, e.local)).collect::<Vec<_>>(),
        [(3, false), (4, false), (5, true)]
    );
    assert_eq!(read(Format::PipRequirements, PIP.base).entries[0].checksums.len(), 2);
}

#[test]
fn a_diff_names_what_changed() {
    let told = |format, old, new| diff(&read(format, old), &read(format, new)).to_string();
    assert_eq!(
        told(Format::PipRequirements, PIP.base, PIP.both),
        "version: idna 3.7 -> 3.10\nadded: attrs 26.1.0\nadded: iniconfig 2.3.1\nremoved: click 8.1.7"
    );
    assert_eq!(
        told(Format::CargoLock, CARGO.base, CARGO.theirs),
        "added: bitflags 1.3.2\nadded: fixedbitset 0.4.2\nremoved: itoa 0.4.8\ndepends on something else: shop 0.3.0"
    );
    assert_eq!(
        told(Format::NpmLock, NPM3.base, NPM3.ours),
        "added: left-pad 1.3.0\nremoved: fsevents 2.3.3\ndepends on something else: shop 1.0.0"
    );
    let other = CARGO.base.replace("3f9eec918d", "0000000000");
    let found = diff(&read(Format::CargoLock, CARGO.base), &read(Format::CargoLock, &other));
    assert!(found.is_suspicious());
    assert!(
        found.to_string().starts_with("CHECKSUM CHANGED, SAME VERSION: fnv 1.0.7 sha256:3f9eec"),
        "{found}"
    );
    let moved = NPM3.base.replace("https://registry.npmjs.org/ms", "https://user:pw@evil.example/ms");
    assert_eq!(
        told(Format::NpmLock, NPM3.base, &moved),
        "from elsewhere: ms 2.1.3 registry.npmjs.org -> evil.example"
    );
    assert_eq!(told(Format::NpmLock, NPM3.base, NPM3.base), "no difference");
}
