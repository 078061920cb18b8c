//! A cache repaired without a failed command: damaged entries out, what is known of them fetched anew; and the same where
//! the process dies at any journal write.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use regreen_saga::{
    BoxFuture, Drive, Ended, OpenGate, PreparedStep, SagaError, execute, rehearse::MemoryJournal,
};
use regreen_steps::{NobodyAsked, QUARANTINE, Rerun, RerunEnd, World, kinds};
use regreen_tools::{
    Job, Overlay, Workspace,
    cache::{self, Asked, Watch, npm_entry},
};
use serde_json::json;

struct Never;

impl Rerun for Never {
    fn rerun(&self, _: Overlay) -> BoxFuture<'_, Result<RerunEnd, String>> {
        Box::pin(async { Err("there is no command".to_owned()) })
    }
}

/// A cache of npm with two packages, of which the second is damaged.
struct Stage {
    dir: tempfile::TempDir,
    registry: String,
    hit: PathBuf,
}

impl Stage {
    fn new(registry: &str) -> Stage {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("_cacache");
        let mut hit = PathBuf::new();
        for name in ["sound", "hit"] {
            let key = format!("make-fetch-happen:request-cache:{registry}{name}/-/{name}-1.0.0.tgz");
            for (path, bytes) in npm_entry(&key, name.as_bytes()) {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, bytes).unwrap();
                if path.starts_with(root.join("content-v2")) {
                    hit = path;
                }
            }
        }
        fs::write(&hit, "bit").unwrap();
        Stage { dir, registry: registry.to_owned(), hit }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("_cacache")
    }

    fn world(&self, holds_lock: bool) -> Arc<World> {
        let workspace = Workspace::new(self.dir.path().to_owned(), BTreeMap::new());
        let argv = ["npm", "--registry", &self.registry].map(str::to_owned).to_vec();
        Arc::new(World {
            job: Job { workspace, argv },
            state: self.dir.path().join("state"),
            mirrors: vec![],
            rerun: Arc::new(Never),
            snapshot: None,
            locked_cache: holds_lock.then(|| self.root()),
            repaired_by_another: false,
            allow_commands: false,
            yes: false,
            approvals: Arc::new(NobodyAsked),
            paths: vec![],
            deadline: Instant::now() + Duration::from_secs(60),
            attempt: 1,
            seed: 7,
            progress: Arc::new(|_| {}),
            last_rerun: Mutex::new(None),
            cause: Default::default(),
        })
    }

    async fn run(
        &self,
        holds_lock: bool,
        journal: &mut MemoryJournal,
        drive: Drive,
    ) -> Result<Ended, SagaError> {
        let kinds = kinds(&self.world(holds_lock));
        let plan: Vec<PreparedStep> = ["quarantine-entries", "refill-entries"]
            .map(|kind| {
                let step = kinds.iter().find(|k| k.kind() == kind).unwrap().clone();
                PreparedStep {
                    id: kind.to_owned(),
                    step,
                    args: json!({ "cache": "npm" }),
                    flow: Default::default(),
                }
            })
            .into();
        execute("i1", &plan, journal, &OpenGate, drive).await
    }

    fn is_sound(&self) -> bool {
        let npm = cache::by_id("npm").unwrap();
        npm.scan(&self.root(), &Asked { workspace: None, watch: &Watch::default() }).damaged.is_empty()
    }

    fn picture(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut picture = BTreeMap::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    picture.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        picture
    }
}

/// A registry that gives these bytes for every package.
fn registry(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = [0; 1024];
            let _ = stream.read(&mut head);
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

fn bytes(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[tokio::test]
async fn what_was_taken_out_is_fetched_anew() {
    let stage = Stage::new(&registry("hit"));
    let ended = stage.run(true, &mut MemoryJournal::default(), Drive::Fresh).await.unwrap();
    assert_eq!(ended, Ended::Verified);
    assert_eq!((bytes(&stage.hit).as_deref(), stage.is_sound()), (Some("hit"), true));
    let room = stage.root().join(QUARANTINE).join("i1");
    assert_eq!(fs::read_dir(&room).unwrap().count(), 1, "the damaged one, and no scratch file");
}

#[tokio::test]
async fn other_bytes_than_those_that_were_there_never_go_in() {
    let stage = Stage::new(&registry("tampered"));
    let ended = stage.run(true, &mut MemoryJournal::default(), Drive::Fresh).await.unwrap();
    assert_eq!((ended, bytes(&stage.hit), stage.is_sound()), (Ended::Verified, None, true));
}

#[tokio::test]
async fn nothing_is_taken_out_while_the_registry_is_down_or_the_lock_is_not_held() {
    let registry_that_is_well = registry("hit");
    for (url, holds_lock, says) in [
        ("http://127.0.0.1:9/", true, "does not serve"),
        (registry_that_is_well.as_str(), false, "not known or not there"),
    ] {
        let stage = Stage::new(url);
        let before = stage.picture();
        let ended = stage.run(holds_lock, &mut MemoryJournal::default(), Drive::Fresh).await.unwrap();
        assert!(matches!(&ended, Ended::RolledBack { why } if why.contains(says)), "{ended:?}");
        assert_eq!(stage.picture(), before);
    }
}

#[tokio::test]
async fn crashed_at_any_write_it_is_repaired_or_as_before() {
    let registry = registry("hit");
    let mut whole = MemoryJournal::default();
    Stage::new(&registry).run(true, &mut whole, Drive::Fresh).await.unwrap();
    let (mut repaired, mut as_before) = (0, 0);
    for fuel in 0..whole.facts.len() {
        let stage = Stage::new(&registry);
        let before = stage.picture();
        let mut journal = MemoryJournal { fuel: Some(fuel), ..MemoryJournal::default() };
        assert!(stage.run(true, &mut journal, Drive::Fresh).await.is_err());
        // It dies once more while it is brought to its end.
        journal.fuel = Some(1);
        let _died_again = stage.run(false, &mut journal, Drive::Resume).await;
        journal.fuel = None;
        match stage.run(false, &mut journal, Drive::Resume).await.unwrap() {
            Ended::Verified => {
                assert_eq!(
                    (bytes(&stage.hit).as_deref(), stage.is_sound()),
                    (Some("hit"), true),
                    "fuel {fuel}"
                );
                repaired += 1;
            }
            Ended::RolledBack { .. } => {
                let now: BTreeMap<_, _> = stage.picture();
                // A sound entry that was fetched before it was taken back stays.
                assert!(now == before || bytes(&stage.hit).as_deref() == Some("hit"), "fuel {fuel}");
                as_before += 1;
            }
            Ended::Stuck { why } | Ended::Waits { why } => panic!("fuel {fuel}: {why}"),
        }
    }
    assert!(repaired > 4 && as_before > 0, "{repaired} repaired, {as_before} as before");
}
