//! cargo's registry cache. The layout is that of cargo's `sources/registry`.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{damage, flip, gzipped, hex, put, scan, scan_in};

const REGISTRY: &str = "index.example-0123456789abcdef";

fn packed(name: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    header.set_cksum();
    archive.append_data(&mut header, format!("{name}-1.0.0/src/lib.rs"), &b"//x"[..]).unwrap();
    gzipped(&archive.into_inner().unwrap())
}

/// Puts a crate, its index file and its unpacked source into the cache.
fn add(root: &Path, name: &str) -> String {
    let bytes = packed(name);
    let digest = hex(Sha256::digest(&bytes));
    put(&root.join("cache").join(REGISTRY).join(format!("{name}-1.0.0.crate")), &bytes);
    let index = format!(
        "\x03\x02\x00\x00\x00etag\x001.0.0\x00{{\"name\":\"{name}\",\"vers\":\"1.0.0\",\"cksum\":\"{digest}\"}}\x00"
    );
    let shard = format!("{}/{}", &name[..2], &name[2..4]);
    put(&root.join("index").join(REGISTRY).join(".cache").join(shard).join(name), index);
    let source = root.join("src").join(REGISTRY).join(format!("{name}-1.0.0"));
    put(&source.join("src/lib.rs"), "//x");
    put(&source.join(".cargo-ok"), "{\"v\":1}");
    digest
}

#[test]
fn crates_are_checked_against_the_index_where_no_lockfile_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    add(root, "first-one");
    add(root, "second");
    assert_eq!(damage(&scan("cargo", root)), []);

    // Another archive, whole in itself: only the checksum tells.
    put(&root.join("cache").join(REGISTRY).join("second-1.0.0.crate"), packed("other"));
    let found = scan("cargo", root);
    assert_eq!(
        damage(&found),
        [
            (
                "cache/index.example-0123456789abcdef/second-1.0.0.crate",
                "a crate whose SHA-256 is not the index's"
            ),
            (
                "index/index.example-0123456789abcdef/.cache/se/co/second",
                "an index entry whose checksum is not that of second-1.0.0.crate"
            ),
        ]
    );
}

#[test]
fn the_lockfile_decides_between_crate_and_index() {
    let folder = tempfile::tempdir().unwrap();
    let (root, checkout) = (folder.path().join("registry"), folder.path().join("app"));
    let digest = add(&root, "second");
    let lock = format!(
        "version = 4\n\n[[package]]\nname = \"second\"\nversion = \"1.0.0\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{digest}\"\n"
    );
    put(&checkout.join("Cargo.lock"), lock);
    put(&root.join("cache").join(REGISTRY).join("second-1.0.0.crate"), packed("other"));
    assert_eq!(
        damage(&scan_in("cargo", &root, Some(&checkout))),
        [(
            "cache/index.example-0123456789abcdef/second-1.0.0.crate",
            "a crate whose SHA-256 is not the lockfile's"
        )]
    );
}

#[test]
fn a_broken_crate_and_a_changed_source_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    add(root, "first-one");
    add(root, "second");
    flip(&root.join("cache").join(REGISTRY).join("second-1.0.0.crate"));
    flip(&root.join("src").join(REGISTRY).join("first-one-1.0.0/src/lib.rs"));
    let found = scan("cargo", root);
    let found = damage(&found);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].0, "cache/index.example-0123456789abcdef/second-1.0.0.crate");
    assert_eq!(
        found[1],
        (
            "src/index.example-0123456789abcdef/first-one-1.0.0",
            "a source whose src/lib.rs is not the crate's"
        )
    );
}
