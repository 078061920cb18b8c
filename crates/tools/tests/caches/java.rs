//! The caches of Maven and Gradle, laid out by hand after Maven Resolver's and Gradle's own sources.

use std::fs;

use sha1::{Digest, Sha1};

use crate::{damage, flip, hex, put, scan, zipped};

#[test]
fn an_artifact_is_checked_by_the_digest_beside_it_or_by_its_own_format() {
    let folder = tempfile::tempdir().unwrap();
    let version = folder.path().join("org/a/b/1.0");
    let code: Vec<u8> = (0..900u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let jar = zipped(&[("A.class", &code)]);
    put(&version.join("b-1.0.jar"), &jar);
    put(&version.join("b-1.0.jar.sha1"), format!("{}  b-1.0.jar\n", hex(Sha1::digest(&jar))));
    put(&version.join("b-1.0.pom"), "<project/>");
    put(&version.join("b-1.0-sources.jar"), &jar);
    put(&version.join("_remote.repositories"), "b-1.0.jar>central=\n");
    // Another repository had it, or none: that is no damage.
    put(
        &version.join("b-1.0-javadoc.jar.lastUpdated"),
        "https\\://repo/.error=\nhttps\\://repo/.lastUpdated=1\n",
    );
    let found = scan("maven", folder.path());
    assert_eq!((found.checked, damage(&found).len()), (3, 0));

    put(&version.join("b-1.0.jar.sha1"), "0".repeat(40));
    flip(&version.join("b-1.0-sources.jar"));
    put(
        &folder.path().join("org/a/c/1/c-1.jar.lastUpdated"),
        "https\\://repo/.error=Could not transfer artifact\n",
    );
    let found = scan("maven", folder.path());
    let paths: Vec<_> = damage(&found).into_iter().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        [
            "org/a/b/1.0/b-1.0-sources.jar",
            "org/a/b/1.0/b-1.0.jar",
            "org/a/b/1.0/b-1.0.jar.sha1",
            "org/a/c/1/c-1.jar.lastUpdated"
        ]
    );
}

#[test]
fn a_module_of_gradle_lies_in_a_folder_named_by_its_digest_without_leading_zeros() {
    let folder = tempfile::tempdir().unwrap();
    // The first content whose digest begins with a zero.
    let bytes = (0u32..).map(|i| i.to_le_bytes()).find(|b| hex(Sha1::digest(b)).starts_with('0')).unwrap();
    let digest = hex(Sha1::digest(bytes));
    let version = folder.path().join("files-2.1/org.a/b/1.0");
    let file = version.join(digest.trim_start_matches('0')).join("b-1.0.jar");
    put(&file, bytes);
    put(&folder.path().join("metadata-2.106/module-metadata.bin"), "x");
    let found = scan("gradle", folder.path());
    assert_eq!((found.checked, damage(&found).len()), (1, 0));
    fs::write(&file, "").unwrap();
    assert_eq!(
        damage(&scan("gradle", folder.path()))[0].1,
        "0 bytes whose SHA-1 is not the one they are filed under"
    );
}
