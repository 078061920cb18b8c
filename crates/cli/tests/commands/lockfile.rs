//! `regreen lockfile check`, as a person meets it.

use std::{fs, path::Path, process::Command};

use insta::assert_snapshot;

use crate::said::Bare;

const MANIFEST: &str = r#"{"dependencies": {"a": "^2.0.0"}}"#;

fn lock(version: &str, url: &str, integrity: &str) -> String {
    format!(
        r#"{{
  "lockfileVersion": 3,
  "packages": {{
    "": {{ "dependencies": {{ "a": "*" }} }},
    "node_modules/a": {{
      "version": "{version}",
      "resolved": "{url}",
      "integrity": "{integrity}"
    }}
  }}
}}
"#
    )
}

fn integrity(letter: &str) -> String {
    format!("sha512-{}A==", letter.repeat(85))
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]);
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    assert!(command.output().unwrap().status.success(), "{arguments:?}");
}

#[test]
fn help() {
    assert_snapshot!(Bare::new().tell(&["lockfile", "check", "--help"]), @r"
    exit code 0
    --- out
    Check lockfiles without the network and without the tools that wrote them

    Usage: regreen lockfile check [OPTIONS] [PATH]...

    Arguments:
      [PATH]...
              Lockfiles, and folders that are searched for them
              
              [default: .]

    Options:
          --allow-host <HOST>
              A host that packages may come from, beside the tool's default registry; `*.example.com`
              for all below. With any such host, given here or configured, every other host is an error.
              May be repeated

          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --against <REV>
              Compare with this commit or branch, where this branch left it, and say what changed: a
              checksum that changed without its version is an error

          --config <FILE>
              The operator's configuration (default: regreen/config.toml in the user's configuration
              folder)
              
              [env: REGREEN_CONFIG=]

          --format <FORMAT>
              How to say it

              Possible values:
              - plain: For people
              - json:  For programs: one object a line, one line a lockfile
              - sarif: SARIF 2.1.0, one document for all lockfiles
              
              [default: plain]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen lockfile check
      regreen lockfile check --allow-host npm.example.com package-lock.json
      regreen lockfile check --against origin/main --format sarif > lockfiles.sarif

    Below a folder, what git ignores and folders of installed packages are left out; name a file to
    check it all the same. `regreen explain RULE` says what a finding means.

    Exit code: 0 nothing is wrong (warnings and notes count as nothing), 18 a lockfile has errors,
    3 a file can't be read or there is no lockfile, 4 the configuration is invalid.
    ");
}

#[test]
fn what_is_wrong_is_shown_with_its_line() {
    let bare = Bare::new();
    assert_snapshot!(bare.tell(&["lockfile", "check"]), @r"
    exit code 3
    --- err
    regreen: error: .: there is no lockfile in it
      help: lockfiles are known by their names: package-lock.json, npm-shrinkwrap.json, Cargo.lock, requirements.txt, yarn.lock, pnpm-lock.yaml, bun.lock, poetry.lock, uv.lock, Pipfile.lock, go.sum, Gemfile.lock, gems.locked, composer.lock, packages.lock.json, gradle.lockfile, buildscript-gradle.lockfile, settings-gradle.lockfile, verification-metadata.xml
    ");
    let put = |path: &str, text: &str| {
        let path = bare.work().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("package.json", MANIFEST);
    put("package-lock.json", &lock("1.0.0", "http://npm.example/a-1.0.0.tgz", "sha512-AAAA"));
    put("api/Cargo.lock", "version = 4\n\n<<<<<<< HEAD\n");
    put("requirements.txt", "idna==3.4\n");
    assert_snapshot!(bare.tell(&["lockfile", "check", "--allow-host", "*.corp.example"]), @r#"
    exit code 18
    --- out
    error[conflict-markers]: conflict markers of an unresolved merge
     --> api/Cargo.lock:3
      |
    3 | <<<<<<< HEAD
      | ^^^^^^^^^^^^

    api/Cargo.lock: 1 error; cargo-lock, can't be read
    error[manifest-drift]: package.json asks for a@^2.0.0 (dependencies), the lockfile has 1.0.0
     --> package-lock.json

    error[insecure-protocol]: unprotected protocol to npm.example: a 1.0.0
     --> package-lock.json:5
      |
    5 | "node_modules/a": {
      | ^^^^^^^^^^^^^^^^^^^

    error[foreign-host]: npm.example is not an allowed host: a 1.0.0
     --> package-lock.json:5
      |
    5 | "node_modules/a": {
      | ^^^^^^^^^^^^^^^^^^^

    error[bad-checksum]: the checksum of a 1.0.0 is malformed: sha512 digest has 3 bytes instead of 64
     --> package-lock.json:8
      |
    8 | "integrity": "sha512-AAAA"
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^

    package-lock.json: 4 errors; npm-lock version 3, 2 entries
    requirements.txt: sound; pip-requirements, 1 entry
     = not checked: a requirements.txt doesn't tell which manifest it was compiled
                    from
    "#);
    assert_snapshot!(bare.tell(&["lockfile", "check", "--format", "json", "api", "requirements.txt"]), @r#"
    exit code 18
    --- out
    {"version":1,"input":"api/Cargo.lock","format":"cargo-lock","lockfile_version":null,"entries":null,"errors":1,"warnings":0,"notes":0,"findings":[{"rule":"conflict-markers","severity":"error","line":3,"column":null,"message":"conflict markers of an unresolved merge","text":"<<<<<<< HEAD"}],"manifest":null}
    {"version":1,"input":"requirements.txt","format":"pip-requirements","lockfile_version":null,"entries":1,"errors":0,"warnings":0,"notes":0,"findings":[],"manifest":{"file":null,"agrees":null,"not_checked":"a requirements.txt doesn't tell which manifest it was compiled from"}}
    "#);
    assert_snapshot!(bare.tell(&["lockfile", "check", "--format", "sarif", "api"]), @r#"
    exit code 18
    --- out
    {
      "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
      "version": "2.1.0",
      "runs": [
        {
          "tool": {
            "driver": {
              "name": "regreen",
              "version": "0.1.0",
              "semanticVersion": "0.1.0",
              "rules": [
                {
                  "id": "conflict-markers",
                  "shortDescription": {
                    "text": "conflict markers of an unresolved merge"
                  },
                  "fullDescription": {
                    "text": "A git merge was left unresolved: the text between the markers is two lockfiles at once."
                  },
                  "defaultConfiguration": {
                    "level": "error"
                  }
                }
              ]
            }
          },
          "columnKind": "unicodeCodePoints",
          "artifacts": [
            {
              "location": {
                "uri": "api/Cargo.lock"
              }
            }
          ],
          "results": [
            {
              "ruleId": "conflict-markers",
              "ruleIndex": 0,
              "level": "error",
              "message": {
                "text": "conflict markers of an unresolved merge"
              },
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "api/Cargo.lock"
                    },
                    "region": {
                      "startLine": 3,
                      "snippet": {
                        "text": "<<<<<<< HEAD"
                      }
                    }
                  }
                }
              ],
              "partialFingerprints": {
                "regreen/v1": "4baab5c07e0ccc83"
              }
            }
          ]
        }
      ]
    }
    "#);
}

#[test]
fn against_another_commit() {
    let bare = Bare::new();
    let work = bare.work();
    git(&work, &["init", "-q"]);
    fs::write(
        work.join("package-lock.json"),
        lock("1.0.0", "https://registry.npmjs.org/a.tgz", &integrity("A")),
    )
    .unwrap();
    fs::create_dir(work.join("old")).unwrap();
    fs::write(work.join("old/Cargo.lock"), "version = 4\n").unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "-qm", "first"]);
    git(&work, &["checkout", "-qb", "topic"]);
    fs::write(
        work.join("package-lock.json"),
        lock("1.0.0", "https://registry.npmjs.org/a.tgz", &integrity("B")),
    )
    .unwrap();
    // Hidden from a search, but not from a comparison.
    fs::write(work.join(".gitignore"), "package-lock.json\n").unwrap();
    fs::remove_file(work.join("old/Cargo.lock")).unwrap();
    assert_snapshot!(bare.tell(&["lockfile", "check", "--against", "main"]), @r#"
    exit code 18
    --- out
    error[checksum-changed]: a 1.0.0 has another checksum than before: sha512:000000000000… became sha512:041041041041…
     --> package-lock.json:5
      |
    5 | "node_modules/a": {
      | ^^^^^^^^^^^^^^^^^^^

    package-lock.json: 1 error; npm-lock version 3, 2 entries
     = not checked: there is no package.json beside it
     = since main (commit [COMMIT]):
         CHECKSUM CHANGED, SAME VERSION: a 1.0.0 sha512:000000000000000000000000000…
    --- err
    regreen: warning: the lockfile old/Cargo.lock of main is gone
    "#);
    assert_snapshot!(bare.tell(&["lockfile", "check", "--against", "nowhere"]), @r"
    exit code 3
    --- err
    regreen: error: --against: git knows no commit `nowhere`
      help: in a CI job, fetch it first, e.g. `git fetch origin main` with a depth that reaches where the branch began
    ");
}
