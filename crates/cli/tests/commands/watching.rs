//! `regreen lockfile watch`, as a person meets it.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

use insta::assert_snapshot;

use crate::said::Bare;

fn lock(version: &str, integrity: &str) -> String {
    let sum = format!("sha512-{}A==", integrity.repeat(85));
    format!(
        "# yarn lockfile v1\n\n\na@^1.0.0:\n  version \"{version}\"\n  resolved \"https://registry.yarnpkg.com/a/-/a-{version}.tgz\"\n  integrity {sum}\n"
    )
}

#[test]
fn help() {
    assert_snapshot!(Bare::new().tell(&["lockfile", "watch", "--help"]), @r"
    exit code 0
    --- out
    Check lockfiles whenever they change, and say what changed in them

    Usage: regreen lockfile watch [OPTIONS] [PATH]...

    Arguments:
      [PATH]...
              Lockfiles, and folders that are searched for them
              
              [default: .]

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --once
              Check once what is there now, say what changed since the commit, and end

          --against <REV>
              Compare the first look with this commit or branch (default: HEAD, where there is one)

          --interval <DURATION>
              Look every so often instead of waiting for the kernel, e.g. 2s

          --format <FORMAT>
              How to say it

              Possible values:
              - plain: For people
              - json:  For programs: one object a line
              
              [default: plain]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen lockfile watch
      regreen lockfile watch --format json web api
      regreen lockfile watch --once --against origin/main

    The kernel says when a file changes; where it can't (a network file system, too many watches),
    files are looked at every --interval. A checksum that changed while the version stayed is an error.

    Exit code: 0 ended by Ctrl-C or SIGTERM; with --once 18 where a lockfile has errors; 3 there is
    no lockfile, or a file can't be read.
    ");
}

#[test]
fn once() {
    let bare = Bare::new();
    assert_snapshot!(bare.tell(&["lockfile", "watch", "--once"]), @r"
    exit code 3
    --- err
    regreen: error: there is no lockfile to watch
      help: lockfiles are known by their names: package-lock.json, npm-shrinkwrap.json, Cargo.lock, requirements.txt, yarn.lock, pnpm-lock.yaml, bun.lock, poetry.lock, uv.lock, Pipfile.lock, go.sum, Gemfile.lock, gems.locked, composer.lock, packages.lock.json, gradle.lockfile, buildscript-gradle.lockfile, settings-gradle.lockfile, verification-metadata.xml
    ");
    fs::write(bare.work().join("yarn.lock"), lock("1.0.0", "A")).unwrap();
    assert_snapshot!(bare.tell(&["lockfile", "watch", "--once"]), @r"
    exit code 0
    --- out
    yarn.lock: sound; yarn-classic version 1, 1 entry
     = not checked: there is no package.json beside it
    ");
    fs::write(bare.work().join("yarn.lock"), "a@1:\n  version").unwrap();
    assert_snapshot!(bare.tell(&["lockfile", "watch", "--once", "--format", "json"]), @r#"
    exit code 18
    --- out
    {"version":1,"event":"first","input":"yarn.lock","lockfile":{"version":1,"input":"yarn.lock","format":"yarn-classic","lockfile_version":null,"entries":null,"errors":1,"warnings":0,"notes":0,"findings":[{"rule":"truncated-lockfile","severity":"error","line":2,"column":null,"message":"the text ends in the middle of a value","text":"version"}],"manifest":null},"changes":[]}
    "#);
}

/// By the kernel and by looking: what changed, what is damaged, and a checksum that changed alone.
#[test]
fn changes_are_said_as_they_happen() {
    for how in [&[][..], &["--interval", "20ms"]] {
        let bare = Bare::new();
        let file = bare.work().join("yarn.lock");
        fs::write(&file, lock("1.0.0", "A")).unwrap();
        let arguments = [&["lockfile", "watch"], how].concat();
        let mut command = bare.command(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut line = || {
            let mut text = String::new();
            out.read_line(&mut text).unwrap();
            text
        };
        let mut began = String::new();
        err.read_line(&mut began).unwrap();
        assert!(began.starts_with("regreen: watching 1 lockfile ("), "{began}");
        let mut until = |end: &str| {
            let mut said = String::new();
            while !said.contains(end) {
                let next = line();
                assert!(!next.is_empty(), "{said}");
                said.push_str(&next);
            }
            said
        };
        assert_eq!(
            until("not checked"),
            "yarn.lock: sound; yarn-classic version 1, 1 entry\n = not checked: there is no package.json beside it\n"
        );
        fs::write(&file, lock("1.1.0", "B")).unwrap();
        assert_eq!(
            until("not checked"),
            "yarn.lock: changed\n  version: a 1.0.0 -> 1.1.0\nyarn.lock: sound; yarn-classic version 1, 1 entry\n = not checked: there is no package.json beside it\n"
        );
        fs::write(&file, lock("1.1.0", "C")).unwrap();
        let said = until("not checked");
        assert!(
            said.contains("  CHECKSUM CHANGED, SAME VERSION: a 1.1.0 ")
                && said.contains("error[checksum-changed]"),
            "{said}"
        );
        fs::write(&file, "a@^1.0.0:\n  version").unwrap();
        let said = until("can't be read");
        assert!(said.starts_with("yarn.lock: changed\nerror[truncated-lockfile]: "), "{said}");
        // The damage is no version to compare with.
        fs::write(&file, lock("1.1.0", "C")).unwrap();
        assert!(until("not checked").starts_with("yarn.lock: changed\n  no difference\nyarn.lock: sound;"));
        fs::remove_file(&file).unwrap();
        assert_eq!(until("gone"), "yarn.lock: gone\n");
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let mut rest = String::new();
        err.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
}
