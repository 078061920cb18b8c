//! pnpm's store. The layout is that of pnpm 10; a store made by pnpm 10 itself was found sound.

use std::fs;

use sha2::{Digest, Sha512};

use crate::{damage, flip, hex, put, scan};

#[test]
fn a_file_that_was_edited_through_its_hard_link_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let name = hex(Sha512::digest("module.exports = 1"));
    let file = root.join("v10/files").join(&name[..2]).join(&name[2..]);
    put(&file, "module.exports = 1");
    let exec = hex(Sha512::digest("#!/bin/sh"));
    put(&root.join("v10/files").join(&exec[..2]).join(format!("{}-exec", &exec[2..])), "#!/bin/sh");
    let index = root.join("v10/index/ab").join(format!("{}-ms@2.1.3.json", "c".repeat(62)));
    put(&index, r#"{"name":"ms","version":"2.1.3","files":{}}"#);
    put(&root.join("v10/projects/x"), "/somewhere");
    let found = scan("pnpm", &root);
    assert_eq!((found.checked, found.health(), damage(&found).len()), (3, Some(100), 0));

    let linked = folder.path().join("node_modules/ms/index.js");
    fs::create_dir_all(linked.parent().unwrap()).unwrap();
    fs::hard_link(&file, &linked).unwrap();
    flip(&linked);
    put(&index, "{");
    let found = scan("pnpm", &root);
    let found = damage(&found);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].1, "18 bytes whose sha512 is not the one they are filed under");
    assert!(found[1].1.starts_with("an index of a package that can't be parsed"), "{found:?}");
}

#[test]
fn what_stands_in_the_place_of_a_file_or_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    fs::create_dir_all(root.join("v10/index/ab").join(format!("{}-ms@2.1.3.json", "c".repeat(62)))).unwrap();
    fs::create_dir_all(root.join("v10/files/cd").join("e".repeat(126))).unwrap();
    put(&root.join("v10/files/12"), "a file");
    // Nothing of pnpm's is called so.
    put(&root.join("v10/files/README"), "a file");
    fs::create_dir_all(root.join("v10/files/cd/notes")).unwrap();
    let scan = scan("pnpm", &root);
    let found = damage(&scan);
    let why: Vec<&str> = found.iter().map(|(_, why)| &**why).collect();
    let (shelf, entry) =
        ("a file where a folder of the store must be", "a folder where a file of the store must be");
    assert_eq!(why, [shelf, entry, entry], "{found:?}");
}
