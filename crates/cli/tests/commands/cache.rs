//! `regreen cache check` and `cache stats`, as a person meets them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use insta::assert_snapshot;
use regreen_tools::cache::npm_entry;

use crate::said::Bare;

/// A cache of npm with three packages, where npm looks for it; gives the content of the last.
fn npm(bare: &Bare) -> PathBuf {
    npm_at(&bare.base().join("home/.npm/_cacache"))
}

fn npm_at(root: &Path) -> PathBuf {
    let mut last = PathBuf::new();
    for name in ["a", "b", "c"] {
        let url = format!("https://user:hunter22@registry.example/{name}/-/{name}-1.0.0.tgz");
        let [(content, bytes), bucket] =
            npm_entry(&format!("make-fetch-happen:request-cache:{url}"), name.as_bytes());
        for (path, bytes) in [(&content, bytes), (&bucket.0, bucket.1)] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        last = root.join(content);
    }
    last
}

#[test]
fn help() {
    assert_snapshot!(Bare::new().tell(&["cache", "check", "--help"]), @r"
    exit code 0
    --- out
    Read the caches of package managers and compilers, and name what is damaged in them

    Usage: regreen cache check [OPTIONS] [TOOL]...

    Arguments:
      [TOOL]...
              Tools or caches, as docs/caches.md names them; without one, every cache that is here

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --path <DIR>
              The cache's folder, where it is not the usual one; what kind it is shows by its layout, or
              by TOOL

          --format <FORMAT>
              How to say it

              Possible values:
              - plain: For people
              - json:  For programs: one object a line
              
              [default: plain]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen cache check
      regreen cache check npm cargo
      regreen cache check npm --path ci-cache/_cacache --format json

    Nothing is written, and nothing is started. Damaged is what contradicts a checksum or
    its own format; what can't be read is not called damaged. The health is the share of
    checked entries that are sound.

    Exit code: 0 no damage was found, 18 something is damaged, 3 there is no such cache,
    130 interrupted.
    ");
    assert_snapshot!(Bare::new().tell(&["cache", "stats", "--help"]), @r"
    exit code 0
    --- out
    Say how large the caches are, of what they are made, and whether they are of use

    Usage: regreen cache stats [OPTIONS] [TOOL]...

    Arguments:
      [TOOL]...
              Tools or caches, as docs/caches.md names them; without one, every cache that is here

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --path <DIR>
              The cache's folder, where it is not the usual one; what kind it is shows by its layout, or
              by TOOL

          --format <FORMAT>
              How to say it

              Possible values:
              - plain: For people
              - json:  For programs: one object a line
              
              [default: plain]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen cache stats
      regreen cache stats npm --format json

    Uses are known by the access times of the file system, where it keeps them.

    Exit code: 0, 3 there is no such cache, 130 interrupted.
    ");
}

#[test]
fn nothing_there() {
    let bare = Bare::new();
    assert_snapshot!(bare.tell(&["cache", "check"]), @r"
    exit code 3
    --- err
    regreen: error: no known cache is on this machine
      help: name a cache's folder with --path; docs/caches.md says where they are looked for
    ");
    assert_snapshot!(bare.tell(&["cache", "check", "npm"]), @r"
    exit code 3
    --- err
    regreen: error: there is no cache of npm: [BASE]/home/.npm/_cacache is not there
      help: name its folder with --path
    ");
    assert_snapshot!(bare.tell(&["cache", "check", "--path", "."]), @r"
    exit code 3
    --- err
    regreen: error: . does not look like a known cache
      help: say whose cache it is: regreen cache check TOOL --path DIR
    ");
    assert_snapshot!(bare.tell(&["cache", "stats", "--path", "nowhere"]), @r"
    exit code 3
    --- err
    regreen: error: nowhere: No such file or directory (os error 2)
    ");
}

#[test]
fn a_sound_cache() {
    let bare = Bare::new();
    npm(&bare);
    assert_snapshot!(bare.tell(&["cache", "check"]), @r"
    exit code 0
    --- out
    npm: sound; 6 entries, 801 B, health 100
     --> [BASE]/home/.npm/_cacache
    ");
}

#[test]
fn a_damaged_entry_is_named_and_no_password_is_shown() {
    let bare = Bare::new();
    fs::write(npm(&bare), "x").unwrap();
    assert_snapshot!(bare.tell(&["cache", "check", "npm"]), @r"
    exit code 18
    --- out
    npm: 1 entry is damaged; 6 entries, 801 B, health 83
     --> [BASE]/home/.npm/_cacache
     = damaged: content-v2/sha512/ac/c2/8db2beb7b42baa1cb0243d401ccb4e3fce44d7b02879a52799aadff541522d8822598b2fa664f9d5156c00c924805d75c3868bd56c2acb81d37e98e35adc
       1 bytes whose sha512 is not the one they are filed under
       it holds https://***@registry.example/c/-/c-1.0.0.tgz
    ");
    let told = bare.tell(&["cache", "check", "--format", "json"]);
    let (told, took) = told.rsplit_once("\"ms\":").unwrap();
    assert!(took.trim_end().strip_suffix('}').unwrap().parse::<u64>().is_ok());
    assert_snapshot!(told, @r#"
    exit code 18
    --- out
    {"version":1,"cache":"npm","tool":"npm","path":"[BASE]/home/.npm/_cacache","health":83,"checked":6,"unverified":0,"bytes":801,"damaged":[{"path":"content-v2/sha512/ac/c2/8db2beb7b42baa1cb0243d401ccb4e3fce44d7b02879a52799aadff541522d8822598b2fa664f9d5156c00c924805d75c3868bd56c2acb81d37e98e35adc","why":"1 bytes whose sha512 is not the one they are filed under","holds":"https://***@registry.example/c/-/c-1.0.0.tgz"}],"unreadable":[],"interrupted":false,
    "#);
}

#[test]
fn a_cache_elsewhere_is_known_by_its_layout() {
    let bare = Bare::new();
    npm_at(&bare.work().join("kept"));
    assert_snapshot!(bare.tell(&["cache", "check", "--path", "kept"]), @r"
    exit code 0
    --- out
    npm: sound; 6 entries, 801 B, health 100
     --> [BASE]/work/kept
    ");
    assert_snapshot!(bare.tell(&["cache", "check", "cargo", "--path", "kept"]), @r"
    exit code 3
    --- err
    regreen: error: kept does not look like a cache of cargo or cargo-git
      help: name the folder that the tool itself calls its cache
    ");
}

#[test]
fn figures() {
    let bare = Bare::new();
    npm(&bare);
    let said = crate::support::stage::said(&mut bare.command(&["cache", "stats", "--format", "json"]));
    let line: serde_json::Value = serde_json::from_slice(&said.out).unwrap();
    assert_eq!((line["cache"].as_str(), line["files"].as_u64()), (Some("npm"), Some(6)));
    assert_eq!(line["parts"][0]["name"], "index-v5");
    let plain = crate::support::stage::said(&mut bare.command(&["cache", "stats"]));
    let plain = String::from_utf8(plain.out).unwrap();
    assert!(plain.starts_with("npm: ") && plain.contains("  content-v2  3 B"), "{plain}");
}
