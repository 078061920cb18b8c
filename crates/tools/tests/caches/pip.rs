//! pip's caches. The layout is that of pip 23.3 and later: `http-v2/…/<digest>` with the headers, `<digest>.body` beside.

use crate::{damage, flip, gzipped, put, scan, zipped};

#[test]
fn archives_are_read_to_their_end_and_pages_are_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let text: Vec<u8> = (0..3000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let wheel = zipped(&[("a/__init__.py", &text), ("a-1.dist-info/RECORD", b"")]);
    for (name, bytes) in [
        ("http-v2/a/b/c/wheel.body", wheel.clone()),
        ("http-v2/a/b/c/sdist.body", gzipped(&text)),
        ("http-v2/a/b/c/page.body", b"{\"files\": []}".to_vec()),
        ("http-v2/a/b/c/wheel", b"cc=4,\x81\xa8response".to_vec()),
        ("wheels/a/b/a-1-py3-none-any.whl", wheel),
    ] {
        put(&root.join(name), bytes);
    }
    let found = scan("pip", root);
    assert_eq!((found.checked, found.unverified), (3, 2));
    assert_eq!(damage(&found), []);
    for name in ["http-v2/a/b/c/wheel.body", "http-v2/a/b/c/sdist.body", "wheels/a/b/a-1-py3-none-any.whl"] {
        flip(&root.join(name));
    }
    flip(&root.join("http-v2/a/b/c/page.body"));
    let found = scan("pip", root);
    let paths: Vec<_> = damage(&found).into_iter().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        ["http-v2/a/b/c/sdist.body", "http-v2/a/b/c/wheel.body", "wheels/a/b/a-1-py3-none-any.whl"]
    );
}
