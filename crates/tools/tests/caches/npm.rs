//! `_cacache`. The layout is that of cacache's `lib/content/path.js` and `lib/entry-index.js`; what npm itself writes is
//! read in the lab's scenarios.

use std::{
    fs,
    path::{Path, PathBuf},
};

use regreen_domain::RelPath;
use regreen_tools::cache::{self, Asked, Watch, npm_entry};

use crate::{damage, flip, put, scan};

/// Puts an entry into the cache; gives its content and its bucket.
fn add(root: &Path, key: &str, bytes: &[u8]) -> (PathBuf, PathBuf) {
    let [content, bucket] = npm_entry(key, bytes).map(|(path, bytes)| {
        put(&root.join(&path), bytes);
        root.join(path)
    });
    (content, bucket)
}

fn key(name: &str) -> String {
    format!("make-fetch-happen:request-cache:https://registry.example/{name}/-/{name}-1.0.0.tgz")
}

fn filled() -> (tempfile::TempDir, Vec<(PathBuf, PathBuf)>) {
    let folder = tempfile::tempdir().unwrap();
    let long = vec![7; 600_000];
    let entries =
        (0..40).map(|i| add(folder.path(), &key(&format!("p{i}")), format!("content {i}").as_bytes()));
    let mut entries: Vec<_> = entries.collect();
    entries.push(add(folder.path(), &key("long"), &long));
    (folder, entries)
}

#[test]
fn a_sound_cache_is_sound() {
    let (folder, _) = filled();
    let scan = scan("npm", folder.path());
    assert_eq!((scan.checked, scan.unverified, scan.health()), (82, 0, Some(100)));
    assert!(scan.bytes > 600_000 && scan.unreadable.is_empty() && !scan.interrupted);
}

#[test]
fn exactly_what_was_damaged_is_named() {
    let (folder, entries) = filled();
    let below = |path: &Path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned();
    flip(&entries[40].0);
    fs::write(&entries[3].0, "").unwrap();
    flip(&entries[5].1);
    fs::remove_file(&entries[7].0).unwrap();
    fs::create_dir(&entries[7].0).unwrap();
    let scan = scan("npm", folder.path());
    let mut want = vec![
        (below(&entries[40].0), "600000 bytes whose sha512 is not the one they are filed under".to_owned()),
        (below(&entries[3].0), "0 bytes whose sha512 is not the one they are filed under".to_owned()),
        (below(&entries[3].1), "an entry of 9 bytes for content of 0 bytes".to_owned()),
        (below(&entries[5].1), "a line whose checksum is wrong".to_owned()),
        (below(&entries[7].0), "a folder where a file must be".to_owned()),
    ];
    want.sort();
    let found: Vec<_> = damage(&scan).into_iter().map(|(p, w)| (p.to_owned(), w.to_owned())).collect();
    assert_eq!(found, want);
    assert_eq!(scan.health(), Some(93));
}

#[test]
fn a_file_in_a_folders_place_is_damage_at_every_level() {
    for level in
        ["content-v2", "content-v2/sha512", "content-v2/sha512/aa", "content-v2/sha512/aa/bb", "index-v5/aa"]
    {
        let (folder, _) = filled();
        let path = folder.path().join(level);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        }
        put(&path, "x");
        assert_eq!(damage(&scan("npm", folder.path())), [(level, "a file where a folder must be")]);
    }
}

#[test]
fn an_empty_cache_is_neither_sound_nor_damaged() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("index-v5")).unwrap();
    let scan = scan("npm", folder.path());
    assert_eq!((scan.checked, scan.health(), scan.damaged.len()), (0, None, 0));
}

#[test]
fn a_look_can_be_ended_and_says_so() {
    let (folder, _) = filled();
    let watch = Watch::default();
    watch.stop();
    let scan = cache::by_id("npm").unwrap().scan(folder.path(), &Asked { workspace: None, watch: &watch });
    assert!(scan.interrupted && scan.checked == 0);
}

#[test]
fn a_look_leaves_no_trace() {
    use std::os::unix::fs::MetadataExt;
    let (folder, entries) = filled();
    let path = &entries[0].0;
    let stamps = |path: &Path| path.metadata().map(|m| (m.atime(), m.atime_nsec(), m.mtime_nsec())).unwrap();
    // Older than what it was written at: the next ordinary reading would move it.
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000);
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_times(fs::FileTimes::new().set_accessed(old))
        .unwrap();
    let before = stamps(path);
    scan("npm", folder.path());
    assert_eq!(stamps(path), before);
}

#[test]
fn what_a_damaged_entry_holds_is_said() {
    let (folder, entries) = filled();
    let below =
        |path: &Path| RelPath::parse(path.strip_prefix(folder.path()).unwrap().to_str().unwrap()).unwrap();
    let npm = cache::by_id("npm").unwrap();
    let origins = npm.origins(folder.path(), &[below(&entries[4].0), below(&entries[4].1)]);
    let origin = origins[0].clone().unwrap();
    assert_eq!(origin.url.as_deref(), Some("https://registry.example/p4/-/p4-1.0.0.tgz"));
    let (algorithm, digest) = origin.digest.unwrap();
    assert_eq!(
        (algorithm, digest.replace('/', "")),
        ("sha512", below(&entries[4].0).as_str()[18..].replace('/', ""))
    );
    assert_eq!(origins[1], None);
}
