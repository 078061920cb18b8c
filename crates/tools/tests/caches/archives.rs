//! Caches that are folders of archives: whole ones pass, cut ones are named, and nothing else is judged.

use std::{fs, path::Path};

use regreen_tools::cache::{self, Asked, QUARANTINE, Watch};
use sha1::{Digest, Sha1};

use crate::{damage, flip, gzipped, put, zipped};

fn look(id: &str, root: &Path) -> regreen_tools::CacheScan {
    cache::by_id(id).unwrap().scan(root, &Asked { workspace: None, watch: &Watch::default() })
}

#[test]
fn archives_are_known_by_their_names() {
    for (id, archive) in [
        ("yarn-berry", "ms-npm-2.1.3-81ff3cfac1-10c0.zip"),
        ("composer", "files/psr/log/0123456789abcdef.zip"),
        ("nuget", "a.b/1.0.0/a.b.1.0.0.nupkg"),
        ("poetry", "artifacts/aa/bb/cc/idna-3.6-py3-none-any.whl"),
        ("pipenv", "wheels/a/b/a-1-py3-none-any.whl"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(archive);
        put(&path, zipped(&[("a", &[1; 3000]), ("b", b"text")]));
        put(&path.with_extension("json"), "{");
        assert_eq!(damage(&look(id, folder.path())), [], "{id}");
        let whole = fs::read(&path).unwrap();
        for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
            put(&path, &whole[..cut]);
            let found = look(id, folder.path());
            assert_eq!(damage(&found).first().map(|(p, _)| *p), Some(archive), "{id} cut to {cut}");
        }
    }
}

#[test]
fn what_was_put_aside_is_not_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder.path().join(QUARANTINE).join("incident/0.zip"), "damaged");
    assert_eq!(damage(&look("yarn-berry", folder.path())), []);
}

#[test]
fn sources_of_poetry_are_read_to_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("artifacts/aa/idna-3.6.tar.gz");
    put(&path, gzipped(&(0..9000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>()));
    assert_eq!(look("poetry", folder.path()).checked, 1);
    flip(&path);
    assert_eq!(damage(&look("poetry", folder.path())).len(), 1);
}

#[test]
fn caches_whose_format_is_their_own_are_counted_only() {
    for id in ["ccache", "sccache", "bun"] {
        let folder = tempfile::tempdir().unwrap();
        put(&folder.path().join("0/1/entry"), "x");
        let found = look(id, folder.path());
        assert_eq!((found.checked, found.unverified, found.health()), (0, 1, None), "{id}");
    }
}

#[test]
fn a_pack_ends_with_its_own_digest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db/repo-0123/objects/pack/pack-1.pack");
    let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    pack.extend(Sha1::digest(&pack));
    put(&path, &pack);
    put(&folder.path().join("db/repo-0123/HEAD"), "ref: refs/heads/main\n");
    let found = look("cargo-git", folder.path());
    assert_eq!((found.checked, found.unverified, damage(&found).len()), (1, 1, 0));
    flip(&path);
    assert_eq!(
        damage(&look("cargo-git", folder.path()))[0].1,
        "a pack whose SHA-1 is not the one at its end"
    );
}
