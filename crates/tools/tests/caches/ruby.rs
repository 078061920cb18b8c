//! Gems, put together by hand after RubyGems' `lib/rubygems/package.rb`.

use sha2::{Digest, Sha256};

use crate::{damage, gzipped, hex, put, scan, tarred};

fn gem(data: &[u8], noted: &[u8]) -> Vec<u8> {
    let metadata = gzipped(b"--- !ruby/object:Gem::Specification\n");
    let list = format!(
        "---\nSHA256:\n  metadata.gz: {}\n  data.tar.gz: {}\nSHA512:\n  metadata.gz: {}\n",
        hex(Sha256::digest(&metadata)),
        hex(Sha256::digest(noted)),
        "0".repeat(128)
    );
    tarred(&[
        ("metadata.gz", &metadata),
        ("data.tar.gz", data),
        ("checksums.yaml.gz", &gzipped(list.as_bytes())),
    ])
}

#[test]
fn a_gem_is_checked_by_the_checksums_that_it_carries() {
    let folder = tempfile::tempdir().unwrap();
    let data = gzipped(b"data");
    put(&folder.path().join("good-1.0.gem"), gem(&data, &data));
    put(&folder.path().join("compact_index/x/versions"), "created_at: 2024\n");
    let found = scan("bundler", folder.path());
    assert_eq!((found.checked, found.unverified, damage(&found).len()), (1, 1, 0));

    put(&folder.path().join("changed-1.0.gem"), gem(&gzipped(b"other"), &data));
    let whole = gem(&data, &data);
    put(&folder.path().join("cut-1.0.gem"), &whole[..whole.len() / 2]);
    put(&folder.path().join("empty-1.0.gem"), "");
    let found = scan("bundler", folder.path());
    let found = damage(&found);
    let paths: Vec<_> = found.iter().map(|(path, _)| *path).collect();
    assert_eq!(paths, ["changed-1.0.gem", "cut-1.0.gem", "empty-1.0.gem"], "{found:?}");
    assert_eq!(found[0].1, "a gem whose data.tar.gz has not the SHA-256 that is noted in it");
}
