//! Yarn 1's cache. The layout is that of yarn 1.22; a cache made by yarn 1.22 itself was found sound.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha512};

use crate::{damage, flip, gzipped, put, scan, tarred};

const ENTRY: &str = "v6/npm-@scope-ms-2.1.3-574c8138ce1d2b5861f0b44579dbadd60c6615b2-integrity";

fn filled() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join(ENTRY).join("node_modules/@scope/ms");
    let tarball = gzipped(&tarred(&[
        ("package/package.json", br#"{"name":"@scope/ms","version":"2.1.3"}"#),
        ("package/index.js", b"module.exports = 1"),
    ]));
    let integrity = STANDARD.encode(Sha512::digest(&tarball));
    put(&package.join(".yarn-tarball.tgz"), &tarball);
    put(&package.join("package.json"), r#"{"name":"@scope/ms","version":"2.1.3"}"#);
    put(&package.join("index.js"), "module.exports = 1");
    let note = format!(
        r#"{{"manifest":{{"name":"@scope/ms","version":"2.1.3"}},"remote":{{"integrity":"sha512-{integrity}"}}}}"#
    );
    put(&package.join(".yarn-metadata.json"), note);
    (folder, package)
}

#[test]
fn an_entry_is_damaged_by_its_tarball_its_files_or_its_note() {
    let (folder, _) = filled();
    let found = scan("yarn-classic", folder.path());
    assert_eq!((found.checked, damage(&found).len()), (1, 0));
    for (file, why) in [
        ("index.js", "a package whose index.js is not its tarball's"),
        (".yarn-tarball.tgz", "its tarball is a gzip stream that ends badly"),
        (".yarn-metadata.json", "a note of the package that can't be parsed"),
    ] {
        let (folder, package) = filled();
        match file {
            ".yarn-metadata.json" => put(&package.join(file), "{"),
            _ => flip(&package.join(file)),
        }
        let found = scan("yarn-classic", folder.path());
        let found = damage(&found);
        assert!(found.len() == 1 && found[0].0 == ENTRY && found[0].1.starts_with(why), "{file}: {found:?}");
    }
}

#[test]
fn an_unfinished_entry_is_not_damaged() {
    let (folder, package) = filled();
    std::fs::remove_file(package.join(".yarn-metadata.json")).unwrap();
    flip(&package.join("index.js"));
    let found = scan("yarn-classic", folder.path());
    assert_eq!((found.checked, found.unverified, damage(&found).len()), (0, 1, 0));
}
