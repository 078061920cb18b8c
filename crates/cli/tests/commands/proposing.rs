//! `regreen lockfile repair --pull-request`: the real program against the stand-in for GitHub.

use std::{fs, path::Path, process::Command};

use insta::assert_snapshot;
use regreen_lab::forge::{GitHub, Trouble, What};

use crate::said::{Bare, tell};

const NAME: &str = "octo-org/hello";
const TOKEN: &str = "ghp_verysecretverysecretverysecret000";
const GOOD: &str = include_str!("../../../lockfile/tests/data/pnpm-v9/base.yaml");
const LOCK: &str = "web/pnpm-lock.yaml";

fn damaged() -> String {
    GOOD.replace("sha512-6Flz", "sha512-7Flz")
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]);
    let done =
        command.args(arguments).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A clone in which a checksum is wrong, as the host has it too.
fn stage() -> (Bare, GitHub) {
    let (bare, host) = (Bare::new(), GitHub::start().unwrap());
    let work = bare.work();
    git(&work, &["init", "-q"]);
    fs::create_dir(work.join("web")).unwrap();
    for (text, message) in [(GOOD, "good"), (&damaged(), "damaged")] {
        fs::write(work.join(LOCK), text).unwrap();
        git(&work, &["add", "."]);
        git(&work, &["commit", "-qm", message]);
    }
    git(&work, &["remote", "add", "origin", &format!("{}/{NAME}.git", host.url())]);
    // What git would do by itself, it must not: every hook, and another address for what `origin` says.
    for hook in ["pre-push", "post-index-change", "reference-transaction"] {
        let hook = work.join(".git/hooks").join(hook);
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, "#!/bin/sh\ntouch hooked\n").unwrap();
        Command::new("chmod").arg("+x").arg(&hook).status().unwrap();
    }
    git(&work, &["config", "core.fsmonitor", "touch hooked;"]);
    host.world().add(NAME, &[(LOCK, damaged().as_bytes()), ("README", b"hello\n")]);
    host.world().token = Some(TOKEN.to_owned());
    (bare, host)
}

fn repair(bare: &Bare, host: &GitHub, more: &[&str]) -> String {
    let mut command = bare.command(&["lockfile", "repair", "--pull-request", "--github-api", &host.url()]);
    let told = tell(command.args(more).env("GH_TOKEN", TOKEN), bare.base());
    assert!(!told.contains("verysecret"), "{told}");
    told
}

fn changes(host: &GitHub) -> usize {
    host.world().calls.iter().filter(|call| call.method != "GET").count()
}

#[test]
fn it_is_proposed_once_by_the_api_alone() {
    let (bare, host) = stage();
    // First what would be sent: nobody is asked for it, and no token is needed.
    let mut dry =
        bare.command(&["lockfile", "repair", "--pull-request", "--dry-run", "--github-api", &host.url()]);
    assert_snapshot!(tell(&mut dry, bare.base()), @r"
    exit code 18
    --- out
    pull request for octo-org/hello: main <- regreen/lockfile-ce0c9a75d473
    Make web/pnpm-lock.yaml whole again

    `web/pnpm-lock.yaml` is damaged on `main`: it holds checksums that its history contradicts.

    #### What this changes

    - put 1 checksum(s) that the history held back into web/pnpm-lock.yaml
    - versions changed: 0

    ```text
    CHECKSUM CHANGED, SAME VERSION: ms 2.1.3 sha512:ec5973b9b4cb646dc9d9afcd542025784863ceae68c601f268253dc985ef70bb2fa1568726afece715c8ebf5d73fab73ed1f7100eb479d23bfb57b45dd645394 -> sha512:e85973b9b4cb646dc9d9afcd542025784863ceae68c601f268253dc985ef70bb2fa1568726afece715c8ebf5d73fab73ed1f7100eb479d23bfb57b45dd645394
    ```

    #### Why it may be believed

    - the first-parent history of `HEAD` holds 1 good version(s) of it
    - packages whose version neither the damaged file nor that history held: 0 of 6
    - no checksum contradicts that history, is weaker or is gone, and no host is new: else it would have been refused
    - whether it agrees with its manifest was not checked: there is no package.json beside it

    #### How to act

    - `regreen lockfile repair --dry-run` with `web/pnpm-lock.yaml` on `main` comes to the same
    - closed without merging, it is not proposed again while it would say the same

    --- a/web/pnpm-lock.yaml
    +++ b/web/pnpm-lock.yaml
    @@ -40,7 +40,7 @@
         resolution: {integrity: sha512-XI5MPzVNApjAyhQzphX8BkmKsKUxD4LdyK24iZeQGinBN9yTQT3bFlCBy/aVx2HrNcqQGsdot8ghrjyrvMCoEA==}
     
       ms@2.1.3:
    -    resolution: {integrity: sha512-7FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==}
    +    resolution: {integrity: sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==}
     
     snapshots:
     
    --- err
    regreen: could be repaired: put 1 checksum(s) that the history held back into web/pnpm-lock.yaml
    regreen:   CHECKSUM CHANGED, SAME VERSION: ms 2.1.3 sha512:ec5973b9b4cb646dc9d9…
    ");
    assert_eq!(host.world().calls.len(), 0);
    assert_snapshot!(repair(&bare, &host, &[]), @r"
    exit code 0
    --- err
    regreen: put 1 checksum(s) that the history held back into web/pnpm-lock.yaml; proposed for `main` as pull request #1: https://github.com/octo-org/hello/pull/1
    regreen:   CHECKSUM CHANGED, SAME VERSION: ms 2.1.3 sha512:ec5973b9b4cb646dc9d9…
    ");
    {
        let world = host.world();
        let there = &world.repositories[NAME];
        let [pull] = there.pulls.as_slice() else { panic!("{:?}", there.pulls) };
        assert_eq!(
            (pull.base.as_str(), pull.title.as_str()),
            ("main", "Make web/pnpm-lock.yaml whole again")
        );
        assert_eq!(there.git.file(&pull.head, LOCK).unwrap(), GOOD.as_bytes());
        assert_eq!(there.git.file(&pull.head, "README").unwrap(), b"hello\n");
        assert_eq!(there.git.file("main", LOCK).unwrap(), damaged().as_bytes());
        assert!(world.calls.iter().all(|call| call.authorized));
    }
    // Nothing changed here, and nothing of the clone was executed.
    assert_eq!(fs::read_to_string(bare.work().join(LOCK)).unwrap(), damaged());
    assert!(!bare.work().join("hooked").exists() && !bare.work().join("web/hooked").exists());
    let before = changes(&host);
    assert_snapshot!(repair(&bare, &host, &[]), @r"
    exit code 0
    --- err
    regreen: put 1 checksum(s) that the history held back into web/pnpm-lock.yaml; pull request #1 is open already: https://github.com/octo-org/hello/pull/1
    regreen:   CHECKSUM CHANGED, SAME VERSION: ms 2.1.3 sha512:ec5973b9b4cb646dc9d9…
    ");
    // Blob and tree are made anew to be compared; neither a commit nor a pull request is.
    let posted = changes(&host) - before;
    assert!(posted <= 2, "{posted}");
    assert_eq!(host.world().repositories[NAME].pulls.len(), 1);
    let json = repair(&bare, &host, &["--format", "json"]);
    assert!(
        json.contains("\"state\":\"proposed\"") && json.contains("\"number\":1,\"url\":\"https"),
        "{json}"
    );
    assert!(json.contains("\"done\":\"unchanged\""), "{json}");
    // A person said no.
    host.world().repositories.get_mut(NAME).unwrap().pulls[0].open = false;
    assert_snapshot!(repair(&bare, &host, &[]), @r"
    exit code 18
    --- err
    regreen: could be repaired: put 1 checksum(s) that the history held back into web/pnpm-lock.yaml; not proposed: pull request #1 said the same, and a person closed it
    regreen:   CHECKSUM CHANGED, SAME VERSION: ms 2.1.3 sha512:ec5973b9b4cb646dc9d9…
    ");
    assert_eq!(host.world().repositories[NAME].pulls.len(), 1);
}

#[test]
fn what_the_branch_does_not_hold_is_not_proposed_and_a_failure_says_what_to_do() {
    let (bare, host) = stage();
    host.world().repositories.get_mut(NAME).unwrap().git.push(
        "main",
        &[(LOCK, b"lockfileVersion: '9.0'\n")],
        "x",
    );
    assert_snapshot!(repair(&bare, &host, &[]), @r"
    exit code 18
    --- err
    regreen: could be repaired: put 1 checksum(s) that the history held back into web/pnpm-lock.yaml; not proposed: `main` at octo-org/hello holds another one than this; push it, or use `--output write`
    regreen:   CHECKSUM CHANGED, SAME VERSION: ms 2.1.3 sha512:ec5973b9b4cb646dc9d9…
    ");
    assert_snapshot!(repair(&bare, &host, &["--base", "no-branch"]), @r"
    exit code 3
    --- err
    regreen: error: the branch no-branch of octo-org/hello: not found
      help: is `octo-org/hello` there, has `no-branch` been pushed, and may the token read it?
    ");
    host.world().troubles.push(Trouble::always("POST", "/git/blobs", What::Status(403)));
    host.world().repositories.get_mut(NAME).unwrap().git.push("main", &[(LOCK, damaged().as_bytes())], "y");
    assert_snapshot!(repair(&bare, &host, &[]), @r"
    exit code 5
    --- err
    regreen: error: one of git's blobs for octo-org/hello: not permitted (Server Error)
      help: the token has to be good, and may write contents and pull requests (in a workflow: `permissions: {contents: write, pull-requests: write}`)
    ");
    assert_eq!(host.world().repositories[NAME].pulls.len(), 0);
}

#[test]
fn where_it_goes_and_by_whose_word_has_to_be_known_first() {
    let (bare, host) = stage();
    let ask = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = bare.command(&["lockfile", "repair", "--pull-request"]);
        tell(command.args(arguments).envs(variables.iter().copied()), bare.base())
    };
    let url = host.url();
    assert_snapshot!(ask(&["--github-api", &url], &[]), @r"
    exit code 2
    --- err
    regreen: error: --pull-request: there is no token by which GitHub could be asked
      help: set GITHUB_TOKEN or GH_TOKEN, or name a file by --github-token-file; --dry-run needs none
    ");
    // Another host than the API's, with a password that must not be seen.
    git(
        &bare.work(),
        &["remote", "set-url", "origin", "https://ann:hunter2hunter2@gitlab.example.com/a/b.git"],
    );
    assert_snapshot!(ask(&[], &[("GITHUB_TOKEN", TOKEN)]), @r"
    exit code 2
    --- err
    regreen: error: --pull-request: `origin` is at gitlab.example.com, and not at github.com
      help: only GitHub takes pull requests here; name the API of a server of your own by --github-api https://HOST/api/v3
    ");
    git(&bare.work(), &["remote", "set-url", "origin", "ext::sh -c 'touch hooked'"]);
    assert_snapshot!(ask(&[], &[("GITHUB_TOKEN", TOKEN)]), @r"
    exit code 2
    --- err
    regreen: error: --pull-request: `origin` is not the address of a repository at github.com
      help: name the repository by --github OWNER/REPO
    ");
    assert!(!bare.work().join("hooked").exists());
    let token = bare.base().join("token");
    fs::write(&token, [0xff, 0xfe, 0x00, 0x9f]).unwrap();
    let file = ["--github", NAME, "--github-token-file", token.to_str().unwrap()];
    assert_snapshot!(ask(&file, &[]), @r"
    exit code 3
    --- err
    regreen: error: [BASE]/token: a secret has to be text, and this is not
      help: one made of random bytes can be written as hexadecimal digits, e.g. by `openssl rand -hex 32`
    ");
    let event = bare.base().join("event.json");
    fs::write(&event, "{}").unwrap();
    let foreign = [("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_EVENT_PATH", event.to_str().unwrap())];
    assert_snapshot!(ask(&["--github", NAME], &foreign), @r"
    exit code 14
    --- err
    regreen: error: --pull-request: this job looks at code of another repository, and nothing is proposed on its word
      help: run it in a job of the branch itself, on push or by schedule
    ");
    git(&bare.work(), &["checkout", "-q", "--detach"]);
    assert_snapshot!(ask(&["--github", NAME], &[("GITHUB_TOKEN", TOKEN)]), @r"
    exit code 2
    --- err
    regreen: error: no branch is checked out, so nothing says where a pull request is to go
      help: name it by --base BRANCH
    ");
    let listed = ask(&["--github", "a/b/c"], &[]);
    assert!(listed.starts_with("exit code 2") && listed.contains("a repository is OWNER/REPO"), "{listed}");
    assert_eq!(host.world().calls.len(), 0);
}
