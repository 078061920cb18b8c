//! Lockfiles against manifests, by what `npm ci` and `cargo --locked` would say.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod fixture;

use fixture::{CARGO, NPM1, NPM2, NPM3, PIP, WORKSPACES, read};
use regreen_lockfile::{Agreement, Format, Manifest, agrees_with_manifest, unneeded};

const BASE: &str = include_str!("data/npm-v3/base.package.json");
const BOTH: &str = include_str!("data/npm-v3/both.package.json");
const CARGO_BASE: &str = include_str!("data/cargo/base.toml");
const CARGO_BOTH: &str = include_str!("data/cargo/both.toml");

fn agreement(format: Format, lock: &str, root: &str, members: &[(&str, &str)]) -> Agreement {
    agrees_with_manifest(&read(format, lock), &Manifest { root, members })
}

fn drift(found: Agreement) -> Vec<String> {
    match found {
        Agreement::Drift(reasons) => reasons,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_lockfile_agrees_with_the_manifest_it_was_made_from() {
    for lock in [NPM1.base, NPM2.base, NPM3.base] {
        assert_eq!(agreement(Format::NpmLock, lock, BASE, &[]), Agreement::Agrees);
    }
    assert_eq!(agreement(Format::NpmLock, NPM3.both, BOTH, &[]), Agreement::Agrees);
    assert_eq!(agreement(Format::CargoLock, CARGO.base, CARGO_BASE, &[]), Agreement::Agrees);
    assert_eq!(agreement(Format::CargoLock, CARGO.both, CARGO_BOTH, &[]), Agreement::Agrees);
    assert!(matches!(agreement(Format::PipRequirements, PIP.base, "", &[]), Agreement::NotChecked(_)));
}

#[test]
fn npm_drift() {
    assert_eq!(
        drift(agreement(Format::NpmLock, NPM3.base, BOTH, &[])),
        [
            "package.json asks for is-even@1.0.0 (dependencies), the lockfile has none",
            "package.json asks for left-pad@1.3.0 (dependencies), the lockfile has none",
            "package.json asks for ms@2.0.0 (devDependencies), the lockfile has 2.1.3",
        ]
    );
    for (root, want) in [
        // Another range that the locked version satisfies is none.
        (r#"{"dependencies": {"ms": "^2.0.0", "is-odd": "*"}}"#, None),
        (
            r#"{"dependencies": {"ms": "^3"}}"#,
            Some("package.json asks for ms@^3 (dependencies), the lockfile has 2.1.3"),
        ),
        (r#"{"dependencies": {"ms": "^3"}, "optionalDependencies": {"ms": "^2"}}"#, None),
        (
            r#"{"peerDependencies": {"react": "^18"}, "peerDependenciesMeta": {"react": {"optional": true}}}"#,
            None,
        ),
        (
            r#"{"peerDependencies": {"react": "^18"}}"#,
            Some("package.json asks for react@^18 (peerDependencies), the lockfile has none"),
        ),
        (
            r#"{"devDependencies": {"ms": "github:vercel/ms"}}"#,
            Some(
                "package.json asks for ms@github:vercel/ms (devDependencies), the lockfile was made for ~2.1.2",
            ),
        ),
    ] {
        let found = agreement(Format::NpmLock, NPM3.base, root, &[]);
        match want {
            None => assert_eq!(found, Agreement::Agrees, "{root}"),
            Some(reason) => assert_eq!(drift(found), [reason], "{root}"),
        }
    }
}

#[test]
fn npm_workspaces() {
    let root = r#"{"workspaces": ["packages/*"], "dependencies": {"ms": "^2.1.3", "@mono/api": "^0.1.0"}}"#;
    let good = r#"{"name": "@mono/api", "dependencies": {"ms": "2.0.0", "is-number": "^7.0.0"}}"#;
    assert_eq!(agreement(Format::NpmLock, WORKSPACES, root, &[("packages/api", good)]), Agreement::Agrees);
    let bad = good.replace("2.0.0", "2.1.3");
    assert_eq!(
        drift(agreement(
            Format::NpmLock,
            WORKSPACES,
            root,
            &[("./packages/api/", &bad), ("packages/web", "{}")]
        )),
        [
            "packages/api/package.json asks for ms@2.1.3 (dependencies), the lockfile has 2.0.0",
            "the lockfile doesn't know the workspace packages/web",
        ]
    );
}

#[test]
fn cargo_drift() {
    assert_eq!(
        drift(agreement(Format::CargoLock, CARGO.base, CARGO_BOTH, &[])),
        [
            "Cargo.toml asks for bitflags 2, the lockfile has none for it",
            "Cargo.toml asks for fixedbitset =0.4.2, the lockfile has none for it",
            "Cargo.toml asks for bitflags 1, the lockfile has none for it",
            "Cargo.toml no longer asks for fnv, which the lockfile still has for it",
        ]
    );
    let edited = CARGO_BASE.replace("\"1.0.9\"", "\"1.0.99\"").replace("0.3.0", "0.4.0");
    assert_eq!(
        drift(agreement(Format::CargoLock, CARGO.base, &edited, &[])),
        [
            "Cargo.toml says shop 0.4.0, the lockfile has 0.3.0",
            "Cargo.toml asks for itoa 1.0.99, the lockfile has 0.4.8 and 1.0.19",
        ]
    );
}

#[test]
fn cargo_workspaces() {
    let lock = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.2.0\"\ndependencies = [\n \"b\",\n \"x\",\n]\n\
        [[package]]\nname = \"b\"\nversion = \"0.1.0\"\n[[package]]\nname = \"x\"\nversion = \"3.1.0\"\nsource = \"registry+https://h/i\"\n";
    let root = "[workspace]\nmembers = [\"a\", \"b\"]\n[workspace.package]\nversion = \"1.2.0\"\n[workspace.dependencies]\nx = \"3\"\nb = { path = \"b\" }\n";
    let a = "[package]\nname = \"a\"\nversion.workspace = true\n[dependencies]\nx.workspace = true\n\
        [target.'cfg(unix)'.build-dependencies]\nbee = { path = \"../b\", package = \"b\", version = \"0.1\" }\n";
    let b = "[package]\nname = \"b\"\nversion = \"0.1.0\"\n";
    assert_eq!(agreement(Format::CargoLock, lock, root, &[("a", a), ("b", b)]), Agreement::Agrees);
    let newer = b.replace("0.1.0", "0.2.0");
    assert_eq!(
        drift(agreement(
            Format::CargoLock,
            lock,
            root,
            &[("a", a), ("b", &newer), ("c", "[package]\nname = \"c\"\n")]
        )),
        [
            "b/Cargo.toml says b 0.2.0, the lockfile has 0.1.0",
            "the lockfile doesn't know the package c of c/Cargo.toml"
        ]
    );
}

#[test]
fn what_can_not_be_told_is_said() {
    for (format, lock, root, why) in [
        (Format::NpmLock, NPM3.base, "{", "package.json: expected a key in quotes"),
        (Format::NpmLock, NPM3.base, "[]", "package.json: it is no object"),
        (Format::NpmLock, NPM3.base, r#"{"overrides": {"ms": "1"}}"#, "package.json has `overrides`"),
        (
            Format::CargoLock,
            CARGO.base,
            "[package]\nname = \"shop\"\nversion = \"0.3.0\"\n[dependencies]\nitoa.workspace = true\n",
            "Cargo.toml: itoa is the workspace's, which has none in the root manifest",
        ),
    ] {
        assert_eq!(agreement(format, lock, root, &[]), Agreement::NotChecked(why.to_owned()), "{root}");
    }
}

#[test]
fn what_no_manifest_needs_is_known_for_yarn() {
    let entry = |name: &str, needs: &str| {
        let list = if needs.is_empty() {
            String::new()
        } else {
            format!("  dependencies:\n    {needs} \"^1.0.0\"\n")
        };
        format!("\n{name}@^1.0.0:\n  version \"1.0.0\"\n{list}")
    };
    let lock =
        ["# yarn lockfile v1\n\n".to_owned(), entry("a", "b"), entry("b", ""), entry("c", "")].concat();
    let lock = read(Format::YarnClassic, &lock);
    let found = |root: &str| unneeded(&lock, &Manifest { root, members: &[] });
    assert_eq!(found(r#"{"dependencies": {"a": "^1.0.0"}}"#), ["c@^1.0.0"]);
    assert_eq!(found(r#"{"dependencies": {"a": "^1.0.0"}, "devDependencies": {"c": "^1.0.0"}}"#), [""; 0]);
    // Other manifests' needs, and other versions than are asked for, can't be told from the root's alone.
    assert_eq!(found(r#"{"workspaces": ["a"]}"#), [""; 0]);
    assert_eq!(found(r#"{"resolutions": {"c": "1.0.0"}}"#), [""; 0]);
    let project = "__metadata:\n  version: 8\n\n\"x@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"x@workspace:.\"\n  dependencies:\n    a: \"npm:^1\"\n  languageName: unknown\n  linkType: soft\n\n\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  languageName: node\n  linkType: hard\n";
    assert_eq!(
        drift(agreement(Format::YarnBerry, project, r#"{"name": "x"}"#, &[])),
        ["the lockfile has a, which the manifest does not ask for"]
    );
    let asks = r#"{"name": "x", "dependencies": {"a": "^1"}}"#;
    assert_eq!(agreement(Format::YarnBerry, project, asks, &[]), Agreement::Agrees);
}
