//! `regreen cache check` and `cache stats`, as a person meets them.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
};

use insta::assert_snapshot;
use regreen_tools::cache::npm_entry;

use crate::{
    said::{Bare, scrub, tell},
    support::stage::said,
};

/// A cache of npm with three packages, where npm looks for it; gives the content of the last.
fn npm(bare: &Bare) -> PathBuf {
    npm_at(&bare.base().join("home/.npm/_cacache"))
}

fn npm_at(root: &Path) -> PathBuf {
    npm_of(root, "https://user:hunter22@registry.example/")
}

fn npm_of(root: &Path, registry: &str) -> PathBuf {
    let mut last = PathBuf::new();
    for name in ["a", "b", "c"] {
        let url = format!("{registry}{name}/-/{name}-1.0.0.tgz");
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
              Tools or caches, e.g. npm or cargo; without one, every cache that is here

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
    assert_snapshot!(Bare::new().tell(&["cache", "repair", "--help"]), @r"
    exit code 0
    --- out
    Take the damaged entries out of the caches, so that their tools fetch them anew

    Usage: regreen cache repair [OPTIONS] [TOOL]...

    Arguments:
      [TOOL]...
              Tools or caches, e.g. npm or cargo; without one, every cache that is here

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

          --prefetch
              Fetch what was taken out, from the tool's own registries, where the cache knows its digest

          --registry <URL>
              The registry that fills the gaps, where the tool's own is not known or not meant

          --dry-run
              Look whether it could be done, and do nothing

          --config <FILE>
              The operator's configuration (default: regreen/config.toml in the user's configuration
              folder)
              
              [env: REGREEN_CONFIG=]

          --format <FORMAT>
              How to say it

              Possible values:
              - plain: For people
              - json:  For programs: one object a line
              
              [default: plain]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen cache repair --dry-run
      regreen cache repair npm --prefetch
      regreen cache repair gradle --registry https://repo.maven.apache.org/maven2/

    Exactly what `cache check` names is moved aside, under the cache's lock, and is deleted
    once a second look finds the cache sound; else it is put back. Nothing is moved while
    the registry that fills the gap does not answer. A repair that was killed is brought
    to its end by `regreen resume`.

    Exit code: 0 all are sound now, 14 refused, 15 taken back, 16 stuck, 3 there is no
    such cache, 130 interrupted before anything was done.
    ");
    assert_snapshot!(Bare::new().tell(&["cache", "stats", "--help"]), @r"
    exit code 0
    --- out
    Say how large the caches are, of what they are made, and whether they are of use

    Usage: regreen cache stats [OPTIONS] [TOOL]...

    Arguments:
      [TOOL]...
              Tools or caches, e.g. npm or cargo; without one, every cache that is here

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
      help: name a cache's folder with --path; with a cache's name, e.g. npm, it says where that was looked for
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
fn a_daemon_that_does_not_answer() {
    let bare = Bare::new();
    let told = |host: &str| {
        let said = said(bare.command(&["cache", "stats", "docker"]).env("DOCKER_HOST", host));
        format!("{} {}", said.code, said.err)
    };
    assert_snapshot!(told("unix:///nowhere/docker.sock"), @r"
    3 regreen: error: no daemon of docker answers at /nowhere/docker.sock
      help: start it, or set DOCKER_HOST to the path of its socket
    ");
    assert_snapshot!(told("tcp://build.example:2376"), @r"
    3 regreen: error: no daemon of docker is known on this machine: DOCKER_HOST is no unix:// path
      help: start it, or set DOCKER_HOST to the path of its socket
    ");
}

#[test]
fn docker_s_build_cache_is_not_repaired_and_a_person_is_told_how() {
    let bare = Bare::new();
    let socket = bare.base().join("docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let answers = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for mut stream in listener.incoming().take(3).map(Result::unwrap) {
            let mut request = [0; 1024];
            let count = stream.read(&mut request).unwrap();
            asked.push(String::from_utf8_lossy(&request[..count]).lines().next().unwrap().to_owned());
            let body = r#"{"BuildCache":[{"ID":"9gijhe0d7iwo","Type":"regular","Size":2},{"ID":"d69cit468l0j","Type":"regular","Size":-1}]}"#;
            let _closed = write!(stream, "HTTP/1.0 200 OK\r\n\r\n{body}");
        }
        asked
    });
    let host = format!("unix://{}", socket.display());
    assert_snapshot!(tell(bare.command(&["cache", "repair", "docker"]).env("DOCKER_HOST", &host), bare.base()), @r"
    exit code 14
    --- out
    docker: nothing to check; 2 entries, 2 B
     --> [BASE]/docker.sock
     = note: 2 entries have no checksum of their own and were not checked
     = refused: the daemon keeps no checksums, so nothing tells which entry is
                damaged; where a build says `failed to prepare`, build it with
                `--no-cache`, or empty the cache with `docker builder prune --all`:
                images and volumes stay, and the next build makes its layers anew;
                nothing was touched
    ");
    // The third question ends the stand-in.
    std::os::unix::net::UnixStream::connect(&socket).unwrap().write_all(b"end").unwrap();
    assert_eq!(
        answers.join().unwrap(),
        ["GET /_ping HTTP/1.0", "GET /system/df?type=build-cache HTTP/1.0", "end"]
    );
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
    let told = said(&mut bare.command(&["cache", "stats", "--format", "json"]));
    let line: serde_json::Value = serde_json::from_slice(&told.out).unwrap();
    assert_eq!((line["cache"].as_str(), line["files"].as_u64()), (Some("npm"), Some(6)));
    assert_eq!(line["parts"][0]["name"], "index-v5");
    let plain = said(&mut bare.command(&["cache", "stats"]));
    let plain = String::from_utf8(plain.out).unwrap();
    assert!(plain.starts_with("npm: ") && plain.contains("  content-v2  3 B"), "{plain}");
}

/// A registry that gives these bytes for everything.
fn registry(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.read(&mut [0; 1024]);
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

/// `regreen cache repair` with this registry: exit code and both streams.
fn repair(bare: &Bare, registry: &str, arguments: &[&str]) -> (i32, String) {
    let mut command = bare.command(&[&["cache", "repair", "npm"], arguments].concat());
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("npm_config_registry", registry);
    let said = said(&mut command);
    let told = scrub(&format!("{}{}", String::from_utf8(said.out).unwrap(), said.err), bare.base());
    // Where a line is broken depends on the length of an id.
    (said.code, told.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_damaged_entry_is_taken_out_and_fetched_anew() {
    let bare = Bare::new();
    let url = registry("c");
    let content = npm_of(&bare.base().join("home/.npm/_cacache"), &url);
    fs::write(&content, "x").unwrap();

    let (code, told) = repair(&bare, &url, &["--dry-run"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("= dry run: all of that would be taken out; nothing was touched"), "{told}");
    assert_eq!(fs::read_to_string(&content).unwrap(), "x");
    assert_eq!(said(&mut bare.command(&["incidents", "list"])).out, b"no incident is like that\n");

    let (code, told) = repair(&bare, &url, &["--prefetch"]);
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("= repaired: it was taken out, and the rest is sound; incident [INCIDENT A]"),
        "{told}"
    );
    assert!(told.contains("= fetched anew: content-v2/sha512/"), "{told}");
    assert_eq!(fs::read_to_string(&content).unwrap(), "c");
    assert!(!bare.base().join("home/.npm/_cacache/.regreen-quarantine").exists());
    let listed = bare.tell(&["incidents", "list"]);
    assert!(listed.contains("healed") && listed.contains("cache-corruption"), "{listed}");

    let (code, told) = repair(&bare, &url, &["--format", "json"]);
    assert_eq!((code, told.contains(r#""outcome":"sound""#)), (0, true), "{told}");
}

#[test]
fn nothing_is_taken_out_while_the_registry_is_down_or_healing_is_paused() {
    let bare = Bare::new();
    let content = npm(&bare);
    fs::write(&content, "x").unwrap();
    let (code, told) = repair(&bare, "http://127.0.0.1:9/", &[]);
    assert_eq!(code, 14, "{told}");
    assert!(
        told.contains(
            "127.0.0.1:[PORT] does not serve, so nothing is taken out of the cache; nothing was touched"
        ),
        "{told}"
    );
    assert_eq!(fs::read_to_string(&content).unwrap(), "x");

    assert_eq!(said(&mut bare.command(&["pause"])).code, 0);
    let (code, told) = repair(&bare, &registry("c"), &[]);
    assert_eq!(code, 14, "{told}");
    assert!(told.contains("healing is paused"), "{told}");
    assert_eq!(fs::read_to_string(&content).unwrap(), "x");
}

#[test]
fn an_address_with_a_user_is_no_registry() {
    let said =
        said(&mut Bare::new().command(&["cache", "repair", "--registry", "https://u:p@registry.example/"]));
    assert_eq!(said.code, 2);
    assert!(said.err.contains("an http(s) address without a user"), "{}", said.err);
}
