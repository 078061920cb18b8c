//! What an operator's own steps do: a command word for word, and a person's word in the middle of a plan.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use regreen_saga::{
    BoxFuture, Drive, Ended, Fact, OpenGate, PreparedStep, StepEvent, execute, rehearse::MemoryJournal,
};
use regreen_steps::{Answer, Approvals, Cause, Rerun, RerunEnd, World, kind_facts, kinds};
use regreen_tools::{Job, Overlay, Workspace};
use serde_json::{Value, json};

struct NeverAgain;

impl Rerun for NeverAgain {
    fn rerun(&self, _: Overlay) -> BoxFuture<'_, Result<RerunEnd, String>> {
        panic!("the command was repeated");
    }
}

/// Answers when it is asked for the second time.
struct People(Mutex<u32>, Option<bool>);

impl Approvals for People {
    fn ask<'a>(&'a self, step: &'a str, question: &'a str) -> BoxFuture<'a, Result<Option<Answer>, String>> {
        assert_eq!((step, question), ("s0", "May it?"));
        let mut asked = self.0.lock().unwrap();
        *asked += 1;
        let answer = self.1.filter(|_| *asked > 1);
        let answer =
            answer.map(|granted| Answer { granted, by: "ann".to_owned(), reason: Some("so".to_owned()) });
        Box::pin(async move { Ok(answer) })
    }
}

struct Scene {
    allow_commands: bool,
    yes: bool,
    answer: Option<bool>,
    patience: Duration,
    paths: &'static [&'static str],
}

const SCENE: Scene =
    Scene { allow_commands: true, yes: false, answer: None, patience: Duration::from_secs(20), paths: &[] };

async fn run(root: &Path, scene: Scene, steps: &[(&str, Value)]) -> (Ended, Vec<StepEvent>) {
    run_with(root, env::vars_os().collect(), scene, steps).await
}

async fn run_with(
    root: &Path,
    env: BTreeMap<OsString, OsString>,
    scene: Scene,
    steps: &[(&str, Value)],
) -> (Ended, Vec<StepEvent>) {
    let mut journal = MemoryJournal::default();
    let ended = go_on(root, env, scene, steps, &mut journal, Drive::Fresh).await;
    (ended, journal.facts.into_iter().map(|fact| fact.event).collect())
}

async fn go_on(
    root: &Path,
    env: BTreeMap<OsString, OsString>,
    scene: Scene,
    steps: &[(&str, Value)],
    journal: &mut MemoryJournal,
    drive: Drive,
) -> Ended {
    let world = Arc::new(World {
        job: Job {
            workspace: Workspace::new(root.to_owned(), env),
            argv: vec!["npm".to_owned(), "ci".to_owned()],
        },
        cause: Cause::default(),
        state: root.join("state"),
        mirrors: vec![],
        rerun: Arc::new(NeverAgain),
        snapshot: None,
        locked_cache: None,
        repaired_by_another: false,
        allow_commands: scene.allow_commands,
        yes: scene.yes,
        approvals: Arc::new(People(Mutex::new(0), scene.answer)),
        paths: scene.paths.iter().map(ToString::to_string).collect(),
        deadline: Instant::now() + scene.patience,
        attempt: 1,
        seed: 1,
        progress: Arc::new(|_| {}),
        last_rerun: Mutex::new(None),
    });
    let kinds = kinds(&world);
    let prepared = |(at, (kind, args)): (usize, &(&str, Value))| PreparedStep {
        id: format!("s{at}"),
        step: kinds.iter().find(|k| k.kind() == *kind).unwrap().clone(),
        args: args.clone(),
        flow: Default::default(),
    };
    let plan: Vec<PreparedStep> = steps.iter().enumerate().map(prepared).collect();
    execute("i", &plan, journal, &OpenGate, drive).await.unwrap()
}

fn why(ended: Ended) -> String {
    match ended {
        Ended::RolledBack { why } | Ended::Stuck { why } | Ended::Waits { why } => why,
        Ended::Verified => panic!("it went well"),
    }
}

#[tokio::test]
async fn a_command_runs_word_for_word_and_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    // A shell would make one file of the second word's parts, and a redirection of the third.
    let touch = json!({ "argv": ["touch", "a b; c", "> d"], "undo": ["rm", "-f", "a b; c", "> d"] });
    let (ended, _) = run(dir.path(), SCENE, &[("command", touch.clone())]).await;
    assert_eq!(ended, Ended::Verified);
    assert!(dir.path().join("a b; c").exists() && dir.path().join("> d").exists());
    for made in ["a b; c", "> d"] {
        fs::remove_file(dir.path().join(made)).unwrap();
    }
    let fails = json!({ "argv": ["ls", "--no-such-option"] });
    let (ended, _) = run(dir.path(), SCENE, &[("command", touch), ("command", fails)]).await;
    let Ended::Stuck { why } = ended else { panic!("{ended:?}") };
    assert!(why.contains("s1: ls --no-such-option ended with exit code 2: "), "{why}");
    assert!(why.contains("s1: the operator's command ls --no-such-option has no way back"), "{why}");
    assert!(!dir.path().join("a b; c").exists() && !dir.path().join("> d").exists());
}

#[tokio::test]
async fn of_a_line_that_is_too_long_no_part_is_said() {
    let folder = tempfile::tempdir().unwrap();
    // Cut before it is masked, a secret at the cut would lose its end, and no mask would know it.
    for secret in [format!("{} {}", "x".repeat(390), "s3cret".repeat(5)), "s3cret".repeat(20_000)] {
        let fails = json!({ "argv": ["sh", "-c", "echo first >&2; echo \"$0\" >&2; exit 7", secret.get(..100_000).unwrap_or(&secret)], "undo": ["true"] });
        let (ended, _) = run(folder.path(), SCENE, &[("command", fails)]).await;
        let why = why(ended);
        let said = why.rsplit("ended with exit code 7").next().unwrap();
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[tokio::test]
async fn no_command_runs_without_leave_or_from_the_checkout() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("fix");
    fs::write(&script, "#!/bin/sh\ntouch ran\n").unwrap();
    let touch = json!({ "argv": ["touch", "ran"], "undo": ["true"] });
    let (ended, _) = run(dir.path(), Scene { allow_commands: false, ..SCENE }, &[("command", touch)]).await;
    assert!(why(ended).contains("the operator's configuration does not allow commands"));
    let own = json!({ "argv": [script.display().to_string()], "undo": ["true"] });
    let (ended, _) = run(dir.path(), SCENE, &[("command", own)]).await;
    assert!(why(ended).contains("lies in the checkout, and nothing of a checkout is run"));
    assert!(!dir.path().join("ran").exists());
    let facts = kind_facts().into_iter().find(|facts| facts.kind == "command").unwrap();
    for (args, want) in [
        (json!({ "argv": [] }), "a command without a program"),
        (json!({ "argv": ["./fix"] }), "a program is an absolute path, or a name"),
        (json!({ "argv": ["bin/fix"] }), "a program is an absolute path, or a name"),
        (json!({ "argv": "ls" }), "invalid type"),
        (json!({ "argv": ["ls"], "shell": "true" }), "unknown field `shell`"),
    ] {
        let said = (facts.check_args)(&args).unwrap_err();
        assert!(said.contains(want), "{said}");
    }
}

#[tokio::test]
async fn what_a_command_wrote_is_on_record_and_put_back_with_the_lockfile() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let reset = || {
        fs::write(root.join("package-lock.json"), "lock").unwrap();
        fs::write(root.join("declared"), "old").unwrap();
    };
    reset();
    let scene = || Scene { paths: &["declared"], ..SCENE };
    let script = "echo >package-lock.json; echo new >declared; exit $0";
    let writes = |code: &str| ("command", json!({ "argv": ["sh", "-c", script, code], "undo": ["true"] }));
    let (ended, facts) = run(root, scene(), &[writes("0")]).await;
    assert_eq!((ended, read("declared")), (Ended::Verified, "new\n".to_owned()));
    let receipt = facts.iter().find_map(|event| match event {
        StepEvent::Applied { receipt } => Some(receipt.clone()),
        _ => None,
    });
    let paths: Vec<Value> =
        receipt.unwrap()["files"].as_array().unwrap().iter().map(|file| file["path"].clone()).collect();
    assert_eq!(paths, ["declared", "package-lock.json"]);
    // It failed in the middle, or a later step did.
    let fails = ("command", json!({ "argv": ["false"], "undo": ["true"] }));
    for steps in [vec![writes("7")], vec![writes("0"), fails]] {
        reset();
        let (ended, _) = run(root, scene(), &steps).await;
        assert!(matches!(ended, Ended::RolledBack { .. }), "{ended:?}");
        assert_eq!((read("package-lock.json"), read("declared")), ("lock".to_owned(), "old".to_owned()));
    }
    // Without `undo` a person is called, and the files are put back all the same.
    reset();
    let alone = ("command", json!({ "argv": ["sh", "-c", script, "7"] }));
    let (ended, _) = run(root, scene(), &[alone]).await;
    assert!(matches!(ended, Ended::Stuck { .. }), "{ended:?}");
    assert_eq!((read("package-lock.json"), read("declared")), ("lock".to_owned(), "old".to_owned()));
}

#[tokio::test]
async fn what_a_clearing_had_taken_away_when_it_died_is_put_on_record() {
    let dir = tempfile::tempdir().unwrap();
    let (gone, there) = (dir.path().join("gone"), dir.path().join("there"));
    fs::write(&there, vec![1; 8192]).unwrap();
    let before = json!({ "free": 1, "candidates": [gone, there], "sizes": [2_097_152, 8192] });
    let fact = |event| Fact { step: "s0".to_owned(), event };
    let facts = vec![fact(StepEvent::Prepared { before }), fact(StepEvent::Started)];
    let mut journal = MemoryJournal { facts, ..MemoryJournal::default() };
    let clear = [("free-space", json!({ "tool": "npm", "least": "1GiB", "percent": "5" }))];
    let ended = go_on(dir.path(), BTreeMap::new(), SCENE, &clear, &mut journal, Drive::Resume).await;
    assert!(matches!(ended, Ended::RolledBack { .. }), "{ended:?}");
    let Some(Fact { event: StepEvent::Undone { says: Some(says) }, .. }) = journal.facts.last() else {
        panic!("{:?}", journal.facts)
    };
    let gone = format!("had taken away 2.0 MiB, which can't be put back: {} (2.0 MiB)", gone.display());
    assert_eq!(*says, gone);
}

#[tokio::test]
async fn no_word_of_a_command_names_a_file_of_the_checkout() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("app");
    fs::create_dir_all(root.join("build")).unwrap();
    fs::create_dir(root.join(".git")).unwrap();
    let script = root.join("fix.sh");
    fs::write(&script, "touch ran\n").unwrap();
    symlink(&script, dir.path().join("link.sh")).unwrap();
    let (absolute, link) = (script.display().to_string(), dir.path().join("link.sh").display().to_string());
    for words in [
        vec!["sh", "fix.sh"],
        vec!["sh", "./build/../fix.sh"],
        vec!["sh", &absolute],
        vec!["sh", &link],
        vec!["env", "SCRIPT=fix.sh", "sh", "-c", "sh $SCRIPT"],
        vec!["make", "-C", "."],
    ] {
        let (ended, _) = run(&root, SCENE, &[("command", json!({ "argv": words, "undo": ["true"] }))]).await;
        let why = why(ended);
        assert!(why.contains("names something of the checkout, and nothing of a checkout is run"), "{why}");
        let undo = json!({ "argv": ["touch", "ran"], "undo": words });
        let (ended, _) = run(&root, SCENE, &[("command", undo)]).await;
        assert!(matches!(ended, Ended::RolledBack { .. }) && !root.join("ran").exists(), "{words:?}");
    }
    // A folder's name is a word like another.
    let word = json!({ "argv": ["echo", "build"], "undo": ["true"] });
    assert_eq!(run(&root, SCENE, &[("command", word)]).await.0, Ended::Verified);
}

#[tokio::test]
async fn a_program_of_the_checkout_never_shadows_one_of_the_machine() {
    let (outer, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // The command was started in a folder of the checkout; its programs lie beside that one.
    let (root, bin) = (outer.path().join("app"), outer.path().join("bin"));
    for folder in [outer.path().join(".git"), root.clone(), bin.clone()] {
        fs::create_dir(folder).unwrap();
    }
    let own = bin.join("touch");
    fs::write(&own, "#!/bin/sh\necho > planted\n").unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
    symlink(&own, elsewhere.path().join("touch")).unwrap();
    let before = [PathBuf::from("../bin"), bin.clone(), elsewhere.path().to_owned()];
    let machine = env::var_os("PATH").unwrap();
    let path = env::join_paths(before.iter().cloned().chain(env::split_paths(&machine))).unwrap();
    let env = |path: OsString| BTreeMap::from([("PATH".into(), path)]);
    let touch = || [("command", json!({ "argv": ["touch", "made"], "undo": ["true"] }))];
    let (ended, _) = run_with(&root, env(path), SCENE, &touch()).await;
    assert_eq!(ended, Ended::Verified);
    assert!(root.join("made").exists() && !root.join("planted").exists());
    let only = env::join_paths(&before).unwrap();
    let (ended, _) = run_with(&root, env(only), SCENE, &touch()).await;
    assert!(why(ended).contains("there is no program `touch` in PATH outside the checkout"));
    let link = elsewhere.path().join("touch").display().to_string();
    let linked = [("command", json!({ "argv": [link, "made"], "undo": ["true"] }))];
    let (ended, _) = run(&root, SCENE, &linked).await;
    assert!(why(ended).contains("lies in the checkout"));
    assert!(!root.join("planted").exists());
}

#[tokio::test]
async fn a_person_s_word_lets_a_plan_go_on_or_turns_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let ask = || [("await-approval", json!({ "ask": "May it?" }))];
    let (ended, facts) = run(dir.path(), Scene { answer: Some(true), ..SCENE }, &ask()).await;
    assert_eq!(ended, Ended::Verified);
    let said = facts.iter().find_map(|event| match event {
        StepEvent::Applied { receipt } => receipt["said"].as_str().map(str::to_owned),
        _ => None,
    });
    assert_eq!(said.as_deref(), Some("was approved by ann"));
    let (ended, _) = run(dir.path(), Scene { answer: Some(false), ..SCENE }, &ask()).await;
    assert_eq!(why(ended), "s0: denied by ann: so");
    let (ended, _) = run(dir.path(), Scene { yes: true, ..SCENE }, &ask()).await;
    assert_eq!(ended, Ended::Verified);
    let (ended, _) = run(dir.path(), Scene { patience: Duration::ZERO, ..SCENE }, &ask()).await;
    assert_eq!(why(ended), "s0: nobody approved it within the time for recovery");
}
