//! `regreen lockfile repair`, as a person meets it.

use std::{fs, path::Path, process::Command};

use insta::assert_snapshot;
use regreen_testkit::terminal::wait_for;

use crate::said::{Bare, scrub};

const BASE: &str = include_str!("../../../lockfile/tests/data/pnpm-v9/base.yaml");
const OURS: &str = include_str!("../../../lockfile/tests/data/pnpm-v9/ours.yaml");
const THEIRS: &str = include_str!("../../../lockfile/tests/data/pnpm-v9/theirs.yaml");
const BOTH: &str = include_str!("../../../lockfile/tests/data/pnpm-v9/both.yaml");

fn git(folder: &Path, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]);
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap()
}

/// A repository with the good lockfile committed.
fn repository() -> Bare {
    let bare = Bare::new();
    let work = bare.work();
    git(&work, &["init", "-q"]);
    git(&work, &["config", "user.name", "t"]);
    git(&work, &["config", "user.email", "t@t"]);
    fs::write(work.join("pnpm-lock.yaml"), BASE).unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "-qm", "first"]);
    bare
}

#[test]
fn help() {
    assert_snapshot!(Bare::new().tell(&["lockfile", "repair", "--help"]), @r"
    exit code 0
    --- out
    Make damaged lockfiles whole again by what their history held, without starting a tool

    Usage: regreen lockfile repair [OPTIONS] [PATH]...

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

          --dry-run
              Only say what would be done

          --commit
              Write the repaired file, and commit it and nothing else on the branch that is checked out.
              No hook is run

          --output <OUTPUT>
              What to do with a repaired lockfile

              Possible values:
              - patch: A patch on standard output that `git apply` takes; no file is written
              - write: The file is replaced
              
              [default: patch]

          --pull-request
              Propose each repaired lockfile as a pull request

          --github <OWNER/REPO>
              Whose repository it is (default: what `origin` names)

          --base <BRANCH>
              The branch that is damaged, and that the pull request is to go to (default: the one that
              is checked out)

          --github-token-file <FILE>
              A file with the token by which GitHub is asked

          --github-api <URL>
              GitHub's API; of an enterprise's own, https://HOST/api/v3
              
              [env: GITHUB_API_URL=]
              [default: https://api.github.com]

          --against <REV>
              Believe the first-parent history of this commit or branch

          --with-tool
              Where the history alone is not enough, let the lockfile's own tool complete the last good
              version, with scripts off. It reads the checkout's configuration and asks its registries:
              only in a checkout that you trust

          --format <FORMAT>
              How to say it

              Possible values:
              - plain: For people
              - json:  For programs: one object a line
              
              [default: plain]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen lockfile repair                       # the patch, on standard output
      regreen lockfile repair | git apply
      regreen lockfile repair --output write package-lock.json
      regreen lockfile repair --against origin/main --commit
      regreen lockfile repair --pull-request --dry-run   # what would be sent
      regreen lockfile repair --pull-request --base main --github OWNER/REPO

    Damaged lines, checksums and conflicts of a merge are put right by the versions of the lockfile
    in the first-parent history of HEAD (in a pull request's job, of its base branch). No undamaged
    entry is changed, and nothing comes in that neither the history nor a side of the merge held: no
    host, no checksum. No tool of the project is started, and nothing of the checkout is executed.

    --pull-request commits the repaired lockfile at GitHub, on a branch of Regreen's own, and opens a
    pull request; nothing is pushed by git, and the file here stays as it is. Run again, it finds the
    one that is open; one that a person closed is not opened again while it would say the same. The
    token comes from GITHUB_TOKEN or GH_TOKEN, and has to write contents and pull requests.

    Exit code: 0 every lockfile is whole, was repaired or is proposed; 18 there is damage, and a
    repair that was only shown; 17 there is damage that nothing may repair here, a person must look;
    15 it was tried (the tool's result is not acceptable, the commit failed) and everything is as
    before; 5 GitHub did not take it now; 3 a file can't be read or there is no lockfile. Of several,
    the first that occurs of 3, 5, 15, 17, 18.
    ");
}

#[test]
fn a_patch_then_a_file_then_a_commit() {
    let bare = repository();
    let (work, lock) = (bare.work(), bare.work().join("pnpm-lock.yaml"));
    fs::create_dir(work.join("api")).unwrap();
    fs::write(work.join("api/requirements.txt"), "idna==3.4\n").unwrap();
    let damaged =
        BASE.replacen("resolution: {integrity: sha512-6Flz", "resolution: {integrity: sha512-\u{1}", 1);
    fs::write(&lock, &damaged).unwrap();
    assert_snapshot!(bare.tell(&["lockfile", "repair", "--dry-run"]), @r"
    exit code 18
    --- err
    regreen: pnpm-lock.yaml: line 43, column 36: a control character
    regreen: could be repaired: restored pnpm-lock.yaml as commit [COMMIT] holds it
    regreen:   no difference
    regreen: 1 lockfile is whole
    ");
    assert_eq!(fs::read_to_string(&lock).unwrap(), damaged);
    let patch = bare.command(&["lockfile", "repair"]).output().unwrap();
    assert_eq!(patch.status.code(), Some(18));
    fs::write(bare.base().join("patch"), &patch.stdout).unwrap();
    assert_snapshot!(String::from_utf8(patch.stdout).unwrap().replace('\u{1}', "^A"), @r"
    --- a/pnpm-lock.yaml
    +++ b/pnpm-lock.yaml
    @@ -40,7 +40,7 @@
         resolution: {integrity: sha512-XI5MPzVNApjAyhQzphX8BkmKsKUxD4LdyK24iZeQGinBN9yTQT3bFlCBy/aVx2HrNcqQGsdot8ghrjyrvMCoEA==}
     
       ms@2.1.3:
    -    resolution: {integrity: sha512-^AubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==}
    +    resolution: {integrity: sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==}
     
     snapshots:
    ");
    let patch = bare.base().join("patch").display().to_string();
    assert!(git(&work, &["apply", "--check", &patch]).status.success());

    assert_snapshot!(bare.tell(&["lockfile", "repair", "--output", "write", "pnpm-lock.yaml"]), @r"
    exit code 0
    --- err
    regreen: pnpm-lock.yaml: line 43, column 36: a control character
    regreen: restored pnpm-lock.yaml as commit [COMMIT] holds it
    regreen:   no difference
    ");
    assert_eq!(fs::read_to_string(&lock).unwrap(), BASE);

    // A checksum that the same version never had; something else is staged.
    fs::write(&lock, BASE.replace("sha512-6Flz", "sha512-7Flz")).unwrap();
    git(&work, &["commit", "-qam", "second"]);
    fs::write(work.join("other"), "x").unwrap();
    git(&work, &["add", "other"]);
    assert_snapshot!(bare.tell(&["lockfile", "repair", "--commit", "pnpm-lock.yaml"]), @r"
    exit code 0
    --- err
    regreen: put 1 checksum(s) that the history held back into pnpm-lock.yaml; commit [COMMIT]
    regreen:   CHECKSUM CHANGED, SAME VERSION: ms 2.1.3 sha512:ec5973b9b4cb646dc9d9…
    ");
    assert_eq!(fs::read_to_string(&lock).unwrap(), BASE);
    let log = git(&work, &["log", "-1", "--name-only", "--format=%B"]);
    assert_snapshot!(scrub(&String::from_utf8(log.stdout).unwrap(), bare.base()), @r"
    pnpm-lock.yaml is whole again

    regreen lockfile repair: put 1 checksum(s) that the history held back into pnpm-lock.yaml


    pnpm-lock.yaml
    ");
    assert_eq!(
        String::from_utf8(git(&work, &["status", "--porcelain"]).stdout).unwrap(),
        "A  other\n?? api/\n"
    );
}

#[test]
fn a_merge_with_what_git_knows_of_it() {
    let bare = repository();
    let (work, lock) = (bare.work(), bare.work().join("pnpm-lock.yaml"));
    git(&work, &["checkout", "-qb", "topic"]);
    fs::write(&lock, THEIRS).unwrap();
    git(&work, &["commit", "-qam", "theirs"]);
    git(&work, &["checkout", "-q", "main"]);
    fs::write(&lock, OURS).unwrap();
    git(&work, &["commit", "-qam", "ours"]);
    git(&work, &["merge", "-q", "topic"]);
    assert!(fs::read_to_string(&lock).unwrap().contains("<<<<<<< "));
    assert_snapshot!(bare.tell(&["lockfile", "repair", "--commit"]), @r"
    exit code 15
    --- err
    regreen: warning: pnpm-lock.yaml: line 11: conflict markers of an unresolved merge
    regreen: warning: pnpm-lock.yaml: as before; it could not be committed: a merge is going on; write the file and go on with it yourself
    ");
    assert_snapshot!(bare.tell(&["lockfile", "repair", "--output", "write"]), @r"
    exit code 0
    --- err
    regreen: pnpm-lock.yaml: line 11: conflict markers of an unresolved merge
    regreen: merged both sides of pnpm-lock.yaml entry by entry
    regreen:   version: ms 2.1.3 -> 2.0.0
    regreen:   added: ansi-regex 5.0.1
    regreen:   added: isarray 1.0.0
    regreen:   depends on something else: .
    ");
    assert_eq!(fs::read_to_string(&lock).unwrap(), BOTH);
}

#[test]
fn what_nothing_may_repair_is_left_to_a_person() {
    let bare = repository();
    let lock = bare.work().join("pnpm-lock.yaml");
    let cut = &OURS[..OURS.len() / 2];
    fs::write(&lock, cut).unwrap();
    assert_snapshot!(bare.tell(&["lockfile", "repair", "--output", "write"]), @r"
    exit code 17
    --- err
    regreen: warning: pnpm-lock.yaml: line 43: the text ends in the middle of a value
    regreen: warning: pnpm-lock.yaml: not repaired; more than the damage differs between pnpm-lock.yaml and every good version of the trusted history
    ");
    assert_eq!(fs::read_to_string(&lock).unwrap(), cut);
    assert_snapshot!(bare.tell(&["lockfile", "repair", "--format", "json"]), @r#"
    exit code 17
    --- out
    {"version":1,"input":"pnpm-lock.yaml","format":"pnpm-lock","state":"not-repaired","damage":"line 43: the text ends in the middle of a value","how":null,"from":null,"reason":"more than the damage differs between pnpm-lock.yaml and every good version of the trusted history","commit":null,"changes":[],"patch":null}
    "#);
    fs::write(&lock, &BASE[..BASE.len() / 2]).unwrap();
    let json = bare.tell(&["lockfile", "repair", "--format", "json"]);
    assert!(
        json.starts_with("exit code 18\n") && json.contains("\"state\":\"repairable\",\"damage\":\"line"),
        "{json}"
    );
    fs::remove_file(&lock).unwrap();
    assert_snapshot!(bare.tell(&["lockfile", "repair", "--against", "nowhere"]), @r"
    exit code 3
    --- err
    regreen: error: --against: git knows no commit `nowhere`
      help: fetch it first, e.g. `git fetch origin main`
    ");
    assert_snapshot!(bare.tell(&["lockfile", "repair", "pnpm-lock.yaml"]), @r"
    exit code 3
    --- err
    regreen: error: pnpm-lock.yaml: No such file or directory (os error 2)
      help: lockfiles are known by their names: package-lock.json, npm-shrinkwrap.json, Cargo.lock, requirements.txt, yarn.lock, pnpm-lock.yaml, bun.lock, poetry.lock, uv.lock, Pipfile.lock, go.sum, Gemfile.lock, gems.locked, composer.lock, packages.lock.json, gradle.lockfile, buildscript-gradle.lockfile, settings-gradle.lockfile, verification-metadata.xml
    ");
}

/// A damaged `package-lock.json` that only npm can complete. Offline: what a folder asks for needs no registry.
fn needs_its_tool() -> Bare {
    let bare = Bare::new();
    let work = bare.work();
    git(&work, &["init", "-q"]);
    let put = |path: &str, text: &str| {
        fs::create_dir_all(work.join(path).parent().unwrap()).unwrap();
        fs::write(work.join(path), text).unwrap();
    };
    put("package.json", "{\"name\": \"shop\", \"version\": \"1.0.0\"}\n");
    put("local/package.json", "{\"name\": \"local\", \"version\": \"2.0.0\"}\n");
    put(
        "package-lock.json",
        "{\n  \"name\": \"shop\",\n  \"version\": \"1.0.0\",\n  \"lockfileVersion\": 3,\n  \"requires\": true,\n  \"packages\": {\n    \"\": {\n      \"name\": \"shop\",\n      \"version\": \"1.0.0\"\n    }\n  }\n}\n",
    );
    git(&work, &["add", "."]);
    git(&work, &["commit", "-qm", "first"]);
    put(
        "package.json",
        "{\"name\": \"shop\", \"version\": \"1.0.0\", \"dependencies\": {\"local\": \"file:local\"}}\n",
    );
    put("package-lock.json", CUT_OFF);
    bare
}

const CUT_OFF: &str = "{\n  \"name\": \"shop\",\n";

#[test]
fn the_tool_completes_it_only_where_that_is_asked() {
    let bare = needs_its_tool();
    assert_snapshot!(bare.tell(&["lockfile", "repair", "--output", "write", "package-lock.json"]), @r"
    exit code 17
    --- err
    regreen: warning: package-lock.json: line 2: the text ends in the middle of a value
    regreen: warning: package-lock.json: not repaired; no good version of package-lock.json is enough: it would not agree with its manifest: package.json asks for local@file:local (dependencies), the lockfile has none
    ");
    assert_snapshot!(bare.tell(&["lockfile", "repair", "--output", "write", "--with-tool", "package-lock.json"]), @r"
    exit code 0
    --- err
    regreen: completing package-lock.json: npm install --package-lock-only --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
    regreen: package-lock.json: line 2: the text ends in the middle of a value
    regreen: completed package-lock.json of commit [COMMIT] with the tool's own resolver
    regreen:   added: local
    regreen:   added: local 2.0.0
    regreen:   depends on something else: shop 1.0.0
    ");
    assert_snapshot!(bare.tell(&["lockfile", "check", "package-lock.json"]), @r"
    exit code 0
    --- out
    package-lock.json: sound; npm-lock version 3, 3 entries, agrees with package.json
    ");
}

#[test]
fn interrupted_while_the_tool_is_at_work_it_loses_nothing() {
    let bare = needs_its_tool();
    let (lockfile, copy) =
        (bare.work().join("package-lock.json"), bare.work().join("package-lock.json.before-regreen"));
    let arguments = ["lockfile", "repair", "--output", "write", "--with-tool", "package-lock.json"];
    let mut child = bare.command(&arguments).stderr(std::process::Stdio::null()).spawn().unwrap();
    wait_for("the copy", || fs::read(&copy).is_ok_and(|kept| kept == CUT_OFF.as_bytes()).then_some(()));
    // The good version stands there now, or will in a moment.
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(fs::read_to_string(&lockfile).unwrap(), CUT_OFF);
    assert!(!copy.exists(), "nothing is left beside it");
    // What a repair that was killed outright has left is not written over.
    fs::write(&copy, "as it was").unwrap();
    let told = bare.tell(&arguments);
    assert!(
        told.starts_with("exit code 15") && told.contains("holds the lockfile as it was before"),
        "{told}"
    );
    assert_eq!(fs::read_to_string(&copy).unwrap(), "as it was");
    assert_eq!(fs::read_to_string(&lockfile).unwrap(), CUT_OFF);
}
