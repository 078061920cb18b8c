//! The real step kinds on real files: a lockfile repair and a cache quarantine, broken, and crashed at every journal
//! write, end healed or byte for byte as before.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use regreen_saga::{
    BoxFuture, Drive, Ended, Fact, OpenGate, PreparedStep, SagaError, StepEvent, execute,
    rehearse::MemoryJournal,
};
use regreen_steps::{Cause, NobodyAsked, QUARANTINE, Rerun, RerunEnd, Snapshot, World, kinds};
use regreen_tools::{Job, Overlay, Workspace};
use serde_json::{Value, json};

const GOOD_LOCK: &str = r#"{
  "name": "app",
  "version": "1.0.0",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": { "name": "app", "version": "1.0.0", "dependencies": { "ms": "2.1.3" } },
    "node_modules/ms": {
      "version": "2.1.3",
      "resolved": "https://registry.npmjs.org/ms/-/ms-2.1.3.tgz",
      "integrity": "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="
    }
  }
}
"#;

/// The command, run again: it ends with this code.
struct Again(i32);

impl Rerun for Again {
    fn rerun(&self, _: Overlay) -> BoxFuture<'_, Result<RerunEnd, String>> {
        let end = RerunEnd {
            code: self.0,
            log: vec![],
            dropped_lines: 0,
            dropped_bytes: 0,
            limit: None,
            interrupted: false,
            duration: Duration::ZERO,
        };
        Box::pin(async move { Ok(end) })
    }
}

/// The command, run again: somebody interrupts it, and it ends with this code all the same.
struct Interrupted(i32);

impl Rerun for Interrupted {
    fn rerun(&self, overlay: Overlay) -> BoxFuture<'_, Result<RerunEnd, String>> {
        let code = self.0;
        Box::pin(
            async move { Again(code).rerun(overlay).await.map(|end| RerunEnd { interrupted: true, ..end }) },
        )
    }
}

/// The command, run again: it writes the lockfile anew, as `npm install` does, and then fails.
struct Rewrites(PathBuf);

const REWRITTEN: &str = "{ \"what\": \"the command wrote\" }\n";

impl Rerun for Rewrites {
    fn rerun(&self, _: Overlay) -> BoxFuture<'_, Result<RerunEnd, String>> {
        fs::write(&self.0, REWRITTEN).unwrap();
        let end = RerunEnd {
            code: 1,
            log: vec![],
            dropped_lines: 0,
            dropped_bytes: 0,
            limit: None,
            interrupted: false,
            duration: Duration::ZERO,
        };
        Box::pin(async move { Ok(end) })
    }
}

/// A workspace with a damaged lockfile and a damaged npm cache, and a registry that answers.
struct Stage {
    dir: tempfile::TempDir,
    registry: String,
}

impl Stage {
    fn new(registry: &str) -> Stage {
        let stage = Stage { dir: tempfile::tempdir().unwrap(), registry: registry.to_owned() };
        let app = stage.app();
        fs::create_dir_all(&app).unwrap();
        fs::write(
            app.join("package.json"),
            r#"{"name":"app","version":"1.0.0","dependencies":{"ms":"2.1.3"}}"#,
        )
        .unwrap();
        fs::write(app.join("package-lock.json"), GOOD_LOCK).unwrap();
        stage.git(&["init", "-q", "-b", "main"]);
        stage.git(&["add", "-A"]);
        stage.git(&["commit", "-q", "-m", "good"]);
        fs::write(app.join("package-lock.json"), &GOOD_LOCK[..300]).unwrap();
        fs::set_permissions(app.join("package-lock.json"), fs::Permissions::from_mode(0o640)).unwrap();
        let content = stage.cache().join("content-v2/sha512/aa/bb");
        fs::create_dir_all(&content).unwrap();
        fs::write(content.join("0".repeat(124)), "not what its name says").unwrap();
        fs::create_dir_all(stage.cache().join("content-v2/sha512/cc")).unwrap();
        fs::write(stage.cache().join("content-v2/sha512/cc/dd"), "a file where a folder must be").unwrap();
        stage
    }

    fn app(&self) -> PathBuf {
        self.dir.path().join("app")
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join("cache/_cacache")
    }

    fn git(&self, args: &[&str]) {
        let status = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@t.invalid"])
            .args(args)
            .current_dir(self.app())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .status();
        assert!(status.unwrap().success());
    }

    fn world(&self, code: i32, snapshot: bool) -> Arc<World> {
        self.world_with(Arc::new(Again(code)), snapshot)
    }

    /// Where the repeated command rewrites the lockfile and fails.
    fn rewriting(&self) -> Arc<World> {
        self.world_with(Arc::new(Rewrites(self.app().join("package-lock.json"))), true)
    }

    fn world_with(&self, rerun: Arc<dyn Rerun>, snapshot: bool) -> Arc<World> {
        let keep = ["PATH", "HOME"];
        let env: BTreeMap<OsString, OsString> =
            std::env::vars_os().filter(|(k, _)| keep.iter().any(|n| k == n)).collect();
        let cache = self.dir.path().join("cache").display().to_string();
        let argv = ["npm", "ci", "--cache", &cache, "--registry", &self.registry].map(str::to_owned).to_vec();
        Arc::new(World {
            job: Job { workspace: Workspace::new(self.app(), env), argv },
            cause: Cause::default(),
            state: self.dir.path().join("state"),
            mirrors: vec![],
            rerun,
            snapshot: snapshot.then(|| Snapshot::take(&self.app(), &["node_modules"])),
            locked_cache: Some(self.cache()),
            repaired_by_another: false,
            allow_commands: true,
            yes: false,
            approvals: Arc::new(NobodyAsked),
            paths: vec!["package-lock.json".to_owned()],
            deadline: Instant::now() + Duration::from_secs(60),
            attempt: 1,
            seed: 7,
            progress: Arc::new(|_| {}),
            last_rerun: Mutex::new(None),
        })
    }

    /// Every file of the workspace and the cache, with its bytes and mode.
    fn picture(&self) -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
        let mut picture = BTreeMap::new();
        for root in [self.app(), self.cache()] {
            walk(&root, &mut |path| {
                let mode = fs::metadata(path).unwrap().permissions().mode();
                picture.insert(path.to_owned(), (fs::read(path).unwrap(), mode));
            });
        }
        picture
    }
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|n| n == ".git") {
            continue;
        }
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

fn plan(world: &Arc<World>) -> Vec<PreparedStep> {
    let kinds = kinds(world);
    [
        ("repair", "repair-lockfile", json!({ "tool": "npm" })),
        ("quarantine", "quarantine-entries", json!({ "tool": "npm" })),
        ("nothing-else-changed", "nothing-else-changed", json!({})),
        ("rerun-command", "rerun-command", json!({})),
    ]
    .into_iter()
    .map(|(id, kind, args): (&str, &str, Value)| {
        let step = kinds.iter().find(|k| k.kind() == kind).unwrap().clone();
        PreparedStep { id: id.to_owned(), step, args, flow: Default::default() }
    })
    .collect()
}

async fn run(world: &Arc<World>, journal: &mut MemoryJournal, drive: Drive) -> Result<Ended, SagaError> {
    execute("i1", &plan(world), journal, &OpenGate, drive).await
}

/// A registry that is well: it answers every request with 200.
fn registry() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = [0; 1024];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
        }
    });
    url
}

#[tokio::test]
async fn it_heals_and_what_it_took_out_waits_in_quarantine() {
    let stage = Stage::new(&registry());
    let world = stage.world(0, true);
    let ended = run(&world, &mut MemoryJournal::default(), Drive::Fresh).await.unwrap();
    assert_eq!(ended, Ended::Verified);
    assert_eq!(fs::read_to_string(stage.app().join("package-lock.json")).unwrap(), GOOD_LOCK);
    let mode = fs::metadata(stage.app().join("package-lock.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640, "the file keeps its mode");
    assert!(!stage.cache().join("content-v2/sha512/cc/dd").exists());
    let room = stage.cache().join(QUARANTINE).join("i1");
    assert_eq!(fs::read_dir(&room).unwrap().count(), 2);
    assert_eq!(fs::metadata(&room).unwrap().permissions().mode() & 0o777, 0o700);
    regreen_steps::forget(&world.state, "i1", &[stage.cache()]).unwrap();
    assert!(!stage.cache().join(QUARANTINE).exists(), "nothing raw outlives the run");
    assert!(!world.state.join("before/i1").exists());
}

#[tokio::test]
async fn a_command_that_fails_again_leaves_everything_as_before() {
    let stage = Stage::new(&registry());
    let before = stage.picture();
    let ended = run(&stage.world(1, true), &mut MemoryJournal::default(), Drive::Fresh).await.unwrap();
    assert!(matches!(ended, Ended::RolledBack { .. }), "{ended:?}");
    assert_eq!(stage.picture(), before);
}

#[tokio::test]
async fn a_repeated_command_that_was_interrupted_is_not_green_whatever_it_ends_with() {
    for code in [0, 130] {
        let stage = Stage::new(&registry());
        let before = stage.picture();
        let world = stage.world_with(Arc::new(Interrupted(code)), true);
        let ended = run(&world, &mut MemoryJournal::default(), Drive::Fresh).await.unwrap();
        let Ended::RolledBack { why } = ended else { panic!("{ended:?}") };
        assert!(why.starts_with("rerun-command: "), "{why}");
        assert_eq!(stage.picture(), before);
        // The run ends there: who interrupts wants no other try.
        assert!(world.take_rerun().unwrap().interrupted);
    }
}

#[tokio::test]
async fn a_foreign_change_in_the_workspace_stops_the_run_before_the_command() {
    let stage = Stage::new(&registry());
    let world = stage.world(0, true);
    fs::write(stage.app().join("foreign"), "").unwrap();
    let ended = run(&world, &mut MemoryJournal::default(), Drive::Fresh).await.unwrap();
    assert!(matches!(&ended, Ended::RolledBack { why } if why.contains("foreign")), "{ended:?}");
}

#[tokio::test]
async fn nothing_leaves_the_cache_while_the_registry_is_down() {
    let stage = Stage::new("http://127.0.0.1:9/");
    let before = stage.picture();
    let ended = run(&stage.world(0, true), &mut MemoryJournal::default(), Drive::Fresh).await.unwrap();
    assert!(matches!(&ended, Ended::RolledBack { why } if why.contains("does not serve")), "{ended:?}");
    assert_eq!(stage.picture(), before);
}

#[tokio::test]
async fn crashed_at_any_write_it_is_healed_or_as_before() {
    let registry = registry();
    let whole = {
        let stage = Stage::new(&registry);
        let mut journal = MemoryJournal::default();
        run(&stage.world(0, true), &mut journal, Drive::Fresh).await.unwrap();
        journal.facts.len()
    };
    for fuel in 0..whole {
        let stage = Stage::new(&registry);
        let before = stage.picture();
        let mut journal = MemoryJournal { fuel: Some(fuel), ..MemoryJournal::default() };
        assert!(run(&stage.world(0, true), &mut journal, Drive::Fresh).await.is_err());
        // It dies once more while it is brought to its end.
        journal.fuel = Some(1);
        let _died_again = run(&stage.world(0, false), &mut journal, Drive::Resume).await;
        journal.fuel = None;
        match run(&stage.world(0, false), &mut journal, Drive::Resume).await.unwrap() {
            Ended::Verified => {
                let lock = fs::read_to_string(stage.app().join("package-lock.json")).unwrap();
                assert_eq!(lock, GOOD_LOCK, "fuel {fuel}");
            }
            Ended::RolledBack { .. } => assert_eq!(stage.picture(), before, "fuel {fuel}"),
            Ended::Stuck { why } | Ended::Waits { why } => panic!("fuel {fuel}: {why}"),
        }
    }
}

#[tokio::test]
async fn what_the_repeated_command_made_of_the_repair_is_taken_back_with_it() {
    let stage = Stage::new(&registry());
    let before = stage.picture();
    let ended = run(&stage.rewriting(), &mut MemoryJournal::default(), Drive::Fresh).await.unwrap();
    assert!(matches!(ended, Ended::RolledBack { .. }), "{ended:?}");
    assert_eq!(stage.picture(), before);
}

/// What one process and then another do, where the first dies at a journal write and `meanwhile` happens between them.
async fn found(fuel: usize, registry: &str, meanwhile: impl Fn(&Path)) -> (Stage, Ended, bool) {
    let stage = Stage::new(registry);
    let lockfile = stage.app().join("package-lock.json");
    let mut journal = MemoryJournal { fuel: Some(fuel), ..MemoryJournal::default() };
    assert!(run(&stage.rewriting(), &mut journal, Drive::Fresh).await.is_err());
    let rewritten = fs::read_to_string(&lockfile).unwrap() == REWRITTEN;
    meanwhile(&lockfile);
    journal.fuel = None;
    let ended = run(&stage.world(0, false), &mut journal, Drive::Resume).await.unwrap();
    (stage, ended, rewritten)
}

#[tokio::test]
async fn crashed_at_any_write_what_the_command_rewrote_is_taken_back_or_left_to_a_person() {
    let registry = registry();
    let mut whole = MemoryJournal::default();
    run(&Stage::new(&registry).rewriting(), &mut whole, Drive::Fresh).await.unwrap();
    let (mut taken_back, mut stuck) = (0, 0);
    for fuel in 0..whole.facts.len() {
        let (stage, ended, rewritten) = found(fuel, &registry, |_| {}).await;
        let lock = fs::read_to_string(stage.app().join("package-lock.json")).unwrap();
        let as_before = lock == GOOD_LOCK[..300];
        match ended {
            Ended::RolledBack { .. } => {
                assert!(as_before, "fuel {fuel}: {lock}");
                taken_back += usize::from(rewritten);
            }
            Ended::Waits { why } => panic!("fuel {fuel}: {why}"),
            Ended::Stuck { .. } => {
                // It died while the command ran: nobody saw what the command wrote, so nothing is overwritten.
                assert_eq!((lock.as_str(), rewritten), (REWRITTEN, true), "fuel {fuel}");
                stuck += 1;
            }
            Ended::Verified => panic!("fuel {fuel}: the command had failed"),
        }
    }
    assert!(taken_back > 1 && stuck == 1, "{taken_back} taken back, {stuck} stuck");
}

#[tokio::test]
async fn what_somebody_wrote_after_the_repeated_command_is_never_overwritten() {
    let registry = registry();
    let mut whole = MemoryJournal::default();
    run(&Stage::new(&registry).rewriting(), &mut whole, Drive::Fresh).await.unwrap();
    let applied =
        |fact: &Fact| fact.step == "rerun-command" && matches!(fact.event, StepEvent::Applied { .. });
    let seen = whole.facts.iter().position(applied).unwrap() + 1;
    let (stage, ended, rewritten) = found(seen, &registry, |path| fs::write(path, "mine").unwrap()).await;
    assert!(rewritten && matches!(ended, Ended::Stuck { .. }), "{ended:?}");
    assert_eq!(fs::read_to_string(stage.app().join("package-lock.json")).unwrap(), "mine");
}

/// The command, run again: what was added to it is kept.
struct Watched(Mutex<Option<Overlay>>);

impl Rerun for Watched {
    fn rerun(&self, overlay: Overlay) -> BoxFuture<'_, Result<RerunEnd, String>> {
        *self.0.lock().unwrap() = Some(overlay);
        Again(0).rerun(Overlay::default())
    }
}

#[tokio::test]
async fn the_repeated_command_and_nothing_else_gets_the_tools_retries_raised() {
    let stage = Stage::new(&registry());
    let watched = Arc::new(Watched(Mutex::new(None)));
    let world = stage.world_with(watched.clone(), true);
    let before = stage.picture();
    let kinds = kinds(&world);
    let steps: Vec<PreparedStep> = [
        ("reachable", "wait-until-reachable", json!({ "tool": "npm" })),
        ("patient", "raise-retries", json!({ "tool": "npm" })),
        ("rerun-command", "rerun-command", json!({})),
    ]
    .into_iter()
    .map(|(id, kind, args)| {
        let step = kinds.iter().find(|k| k.kind() == kind).unwrap().clone();
        PreparedStep { id: id.to_owned(), step, args, flow: Default::default() }
    })
    .collect();
    let ended = execute("i1", &steps, &mut MemoryJournal::default(), &OpenGate, Drive::Fresh).await;
    assert_eq!(ended.unwrap(), Ended::Verified);
    let added = watched.0.lock().unwrap().take().unwrap();
    assert!(
        added.env.iter().any(|(name, value)| name == "npm_config_fetch_retries" && value == "7"),
        "{added:?}"
    );
    assert_eq!(stage.picture(), before);
}
