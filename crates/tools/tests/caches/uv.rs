//! uv's cache. The layout is that of uv 0.9; a cache made by uv itself was found sound.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{damage, flip, put, scan};

#[test]
fn a_wheel_is_checked_by_its_own_record() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = folder.path().join("archive-v0/aBc123");
    let sum = |bytes: &str| URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
    put(&wheel.join("a/__init__.py"), "x = 1");
    put(&wheel.join("a/odd, name.py"), "y = 1");
    put(
        &wheel.join("a-1.0.dist-info/RECORD"),
        format!(
            "a/__init__.py,sha256={},5\n\"a/odd, name.py\",sha256={},5\na-1.0.dist-info/RECORD,,\n../up,sha256={},1\n",
            sum("x = 1"),
            sum("y = 1"),
            sum("z")
        ),
    );
    put(&wheel.join("a/__pycache__/x.pyc"), "not on the list");
    put(&folder.path().join("simple-v28/pypi/a.rkyv"), "answer");
    let found = scan("uv", folder.path());
    assert_eq!((found.checked, found.unverified, damage(&found).len()), (1, 1, 0));
    flip(&wheel.join("a/odd, name.py"));
    let found = scan("uv", folder.path());
    assert_eq!(
        damage(&found),
        [("archive-v0/aBc123", "a wheel whose a/odd, name.py is not as its RECORD has it")]
    );
    std::fs::remove_file(wheel.join("a/__init__.py")).unwrap();
    assert_eq!(
        damage(&scan("uv", folder.path())),
        [("archive-v0/aBc123", "a wheel without its a/__init__.py")]
    );
}
