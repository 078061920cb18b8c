//! Go's caches. The module cache is filled by `go` itself from a proxy in a folder, so that its own sums are the proof.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use crate::{damage, flip, hex, put, scan, scan_in, zipped};

const ZIP: &str = "cache/download/example.org/!odd/m/@v/v1.0.0.zip";

/// A module cache with one module, downloaded and unpacked by go.
fn downloaded() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let versions = folder.path().join("proxy/example.org/!odd/m/@v");
    put(&versions.join("list"), "v1.0.0\n");
    put(&versions.join("v1.0.0.info"), r#"{"Version":"v1.0.0","Time":"2024-01-01T00:00:00Z"}"#);
    put(&versions.join("v1.0.0.mod"), "module example.org/Odd/m\n");
    let code = (0..200).map(|i| format!("const C{i} = {i}\n")).collect::<String>();
    let files: [(&str, &[u8]); 2] = [
        ("example.org/Odd/m@v1.0.0/go.mod", b"module example.org/Odd/m\n"),
        ("example.org/Odd/m@v1.0.0/m.go", &[b"package m\n", code.as_bytes()].concat()),
    ];
    put(&versions.join("v1.0.0.zip"), zipped(&files));
    let app = folder.path().join("app");
    put(&app.join("go.mod"), "module app\n\ngo 1.19\n\nrequire example.org/Odd/m v1.0.0\n");
    put(&app.join("main.go"), "package main\n\nimport _ \"example.org/Odd/m\"\n\nfunc main() {}\n");
    let cache = folder.path().join("mod");
    let ran = Command::new("go")
        .args(["mod", "tidy"])
        .current_dir(&app)
        .env("GOPROXY", format!("file://{}", folder.path().join("proxy").display()))
        .env("GONOSUMDB", "*")
        .env("GONOSUMCHECK", "1")
        .env("GOFLAGS", "-modcacherw")
        .env("GOMODCACHE", &cache)
        .env("GOCACHE", folder.path().join("build"))
        .env("GOTOOLCHAIN", "local")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    (folder, cache)
}

#[test]
fn what_go_downloaded_is_sound_and_every_damage_to_it_is_named() {
    let (folder, cache) = downloaded();
    let app = folder.path().join("app");
    let found = scan_in("go-mod", &cache, Some(&app));
    assert_eq!((damage(&found).len(), found.health()), (0, Some(100)));
    assert!(found.checked >= 2, "at least archive and go.mod: {found:?}");

    let unpacked = "example.org/!odd/m@v1.0.0";
    flip(&cache.join(unpacked).join("m.go"));
    assert_eq!(damage(&scan("go-mod", &cache)), [(unpacked, "a module that is not as it was unpacked")]);
    flip(&cache.join(unpacked).join("m.go"));

    let sum = cache.join(ZIP).with_extension("ziphash");
    let good = fs::read(&sum).unwrap();
    put(&sum, "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert_eq!(damage(&scan("go-mod", &cache)).len(), 2, "which is wrong can't be told");
    let found = scan_in("go-mod", &cache, Some(&app));
    let hash = format!("{ZIP}hash");
    assert_eq!(damage(&found), [(hash.as_str(), "a sum that is not that of the module beside it")]);
    put(&sum, good);

    flip(&cache.join(ZIP));
    let found = scan("go-mod", &cache);
    assert!(damage(&found).len() == 1 && damage(&found)[0].0 == ZIP, "{found:?}");
}

#[test]
fn a_go_mod_is_checked_by_go_sum() {
    let (folder, cache) = downloaded();
    put(&cache.join(Path::new(ZIP).with_extension("mod")), "module example.org/Odd/other\n");
    assert_eq!(damage(&scan("go-mod", &cache)), []);
    let found = scan_in("go-mod", &cache, Some(&folder.path().join("app")));
    assert_eq!(damage(&found)[0].1, "a go.mod whose sum is not the one in go.sum");
}

#[test]
fn an_output_of_the_build_is_filed_under_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    for shelf in ["00", "ff"] {
        fs::create_dir(folder.path().join(shelf)).unwrap();
    }
    let name = hex(Sha256::digest("object"));
    let output = folder.path().join(&name[..2]).join(format!("{name}-d"));
    put(&output, "object");
    put(&folder.path().join("00").join(format!("{}-a", "0".repeat(64))), "v1 ...");
    let found = scan("go-build", folder.path());
    assert_eq!((found.checked, found.unverified, damage(&found).len()), (1, 1, 0));
    flip(&output);
    assert_eq!(
        damage(&scan("go-build", folder.path()))[0].1,
        "6 bytes whose SHA-256 is not the one they are filed under"
    );
}
