//! The dashboard in a real browser, over a real server and a ledger in which much happened; `scripts/test` installs Chromium
//! and what drives it. The pictures of each page lie in `target/dashboard` afterwards.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod acting;
mod crowd;
mod figures;
mod full;
mod healing;
mod listeners;
mod news;
mod reading;
mod seed;
mod sinks;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_domain::Outcome;
use regreen_engine::LiveCatalog;
use regreen_ledger::{AsIs, BreakerPolicy, Closing, Ledger, NewToken};
use regreen_server::{
    Doors, Happening, Hooks, LedgerInbox, Limits, Log, Pages, Settings, Value, Values,
    access::{Access, Role, mint},
    serve,
    shape::Worth,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{Notify, oneshot},
};

struct Quiet;

impl Log for Quiet {
    fn tell(&self, _: &Happening) {}
}

/// A server with a dashboard, and its ledger.
struct World {
    ledger: Ledger,
    port: u16,
    _stop: oneshot::Sender<()>,
    _folder: TempDir,
}

impl World {
    async fn new() -> World {
        World::with(Access::reading_here).await
    }

    async fn with(access: impl FnOnce(Access) -> Access) -> World {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), Arc::new(AsIs)).await.unwrap();
        World::over(folder, ledger, access, Settings::PATIENCE).await
    }

    /// Nothing is on record, and nobody waits for figures.
    async fn empty() -> World {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), Arc::new(AsIs)).await.unwrap();
        World::over(folder, ledger, Access::reading_here, Duration::ZERO).await
    }

    /// Over a ledger in which something happened before the server began.
    async fn over(
        folder: TempDir,
        ledger: Ledger,
        access: impl FnOnce(Access) -> Access,
        patience: Duration,
    ) -> World {
        let path = folder.path().join("ledger.db");
        let pages = Pages {
            ledger: Ledger::open_read_only(&path, Arc::new(AsIs)).await.unwrap(),
            writes: ledger.clone(),
            bell: Arc::default(),
            catalog: LiveCatalog::new(full::hostile_catalog()),
            worth: Worth {
                minutes_per_failure: Some(15.0),
                cost_per_minute: Some(1.0),
                runner_cost_per_minute: Some(0.01),
            },
            settings: Settings {
                breaker: BreakerPolicy { threshold: 3, cooldown_ms: 1_800_000, probe_ms: 1_800_000 },
                services: vec!["registry.npmjs.org".to_owned(), "pypi.org".to_owned()],
                github: "https://github.com".to_owned(),
                gitlab: "https://gitlab.com".to_owned(),
                values: settings(),
                patience,
            },
            access: access(Access::new(ledger.clone(), Arc::new(Quiet))),
            clock: now,
            log: Arc::new(Quiet),
            sinks: [("ops".to_owned(), "slack"), ("mail".to_owned(), "email")].into(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel::<()>();
        let inbox = Arc::new(LedgerInbox::new(ledger.clone(), Arc::new(Notify::new())));
        let doors = Doors { pages: Some(pages), ..Doors::default() };
        let stopped = async move { drop(stopped.await) };
        tokio::spawn(serve(
            listener,
            Hooks::default(),
            inbox,
            doors,
            Limits::default(),
            Arc::new(Quiet),
            stopped,
        ));
        World { ledger, port, _stop: stop, _folder: folder }
    }

    /// A token's text.
    async fn token(&self, name: &str, role: Role) -> String {
        let made = mint().unwrap();
        let new = NewToken {
            id: &made.id,
            name,
            role: role.id(),
            repository: "",
            digest: &made.digest,
            expires_at: None,
        };
        assert!(self.ledger.create_token(&new, "root", now()).await.unwrap());
        made.text
    }
}

/// What a server of one's own would show, and what it can't help being told.
fn settings() -> Vec<Values> {
    let value = |name: &str, value: &str, source: &str| Value {
        name: name.to_owned(),
        value: value.to_owned(),
        source: source.to_owned(),
    };
    let file = "/etc/regreen/config.toml";
    vec![
        Values {
            about: "How far it goes".to_owned(),
            values: vec![
                value("serve.mode", "suggest", &format!("{file}:2")),
                value(
                    "serve.rule 1",
                    "auto at GitLab for octo-org/*, network-timeout, any playbook",
                    &format!("{file}:9"),
                ),
                value("max-risk", "medium", "default"),
            ],
        },
        Values {
            about: seed::HOSTILE[0].to_owned(),
            values: vec![
                value("serve.budget.per-hour", "60", &format!("budget.per-hour in {file}:31")),
                value(seed::HOSTILE[1], seed::HOSTILE[0], seed::HOSTILE[2]),
                value("token for GitLab", "set, not shown", "variable REGREEN_GITLAB_TOKEN"),
            ],
        },
    ]
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A script that drives a browser: it says line by line what is to happen, and is told that it has.
fn browser(script: &str, given: &[&OsStr]) -> (Child, ChildStdin, Lines<BufReader<ChildStdout>>) {
    let mut browser = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dashboard").join(script))
        .args(given)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node is not there: run scripts/test once");
    let (told, says) = (browser.stdin.take().unwrap(), browser.stdout.take().unwrap());
    (browser, told, BufReader::new(says).lines())
}

#[tokio::test]
async fn every_page_is_sound_in_a_browser_and_changes_in_place() {
    let tools = top().join("target/tools");
    let driver = tools.join("playwright/lib/node_modules/playwright-core");
    let axe = tools.join("axe/lib/node_modules/axe-core/axe.min.js");
    assert!(
        driver.exists() && axe.exists(),
        "playwright-core and axe-core are not there: run scripts/test once"
    );
    let pictures = top().join("target/dashboard");
    std::fs::create_dir_all(&pictures).unwrap();
    let _old = std::fs::remove_file(pictures.join("incident.webp"));

    let world = World::new().await;
    seed::fill(&world.ledger, 60, now()).await;
    seed::hostile(&world.ledger, "hostile-1", now()).await;
    seed::unnamed(&world.ledger, now()).await;
    full::everything(&world.ledger, "full", now()).await;
    full::hostile_words(&world.ledger, now()).await;
    full::hostile_journal(&world.ledger, "hostile-steps", now()).await;
    sinks::fails(&world.ledger, &format!("503 {} {}", seed::HOSTILE[0], "x".repeat(150)), now()).await;
    seed::waits(&world.ledger, "to-approve", now()).await;
    seed::waits(&world.ledger, "to-deny", now()).await;
    seed::waits(&world.ledger, "to-take-back", now()).await;
    let run = seed::under_way(&world.ledger, 41, now()).await;
    let undone = seed::under_way(&world.ledger, 42, now()).await;
    world.ledger.close(&undone, seed::OWNER, &Closing::new(Outcome::Suggested), now()).await.unwrap();
    full::log_elsewhere(&world.ledger, "to-deny", now()).await;
    let empty = World::empty().await;
    let at = json!({
        "base": format!("http://localhost:{}", world.port),
        "empty": format!("http://localhost:{}", empty.port),
        "token": world.token("ann", Role::Operator).await,
        "viewer": world.token("vic", Role::Viewer).await,
        "run": run,
        "undone": undone,
    });
    let at = at.to_string();
    let given = [driver.as_os_str(), axe.as_os_str(), pictures.as_os_str(), at.as_ref()];
    let (mut driven, mut told, mut says) = browser("pages.cjs", &given);
    let mut complaints = Vec::new();
    while let Some(line) = says.next_line().await.unwrap() {
        match line.as_str() {
            "begin" => {
                seed::begins(&world.ledger, "just-now", now()).await;
                told.write_all(b"begun\n").await.unwrap();
            }
            "go-on" => {
                seed::goes_on(&world.ledger, "just-now", now()).await;
                told.write_all(b"gone-on\n").await.unwrap();
            }
            "change" => {
                let label = regreen_domain::FailureClass::parse("runner-failure").unwrap();
                world.ledger.feedback("to-deny", label, "bob", None, now()).await.unwrap();
                told.write_all(b"changed\n").await.unwrap();
            }
            other => complaints.push(other.to_owned()),
        }
    }
    assert!(driven.wait().await.unwrap().success(), "{}", complaints.join("\n"));
    assert_eq!(complaints.join("\n"), "");
    let picture = std::fs::read(pictures.join("incident.webp")).unwrap();
    assert!(picture.starts_with(b"RIFF") && picture.len() > 10_000, "the README's picture");
    // What was clicked is on record, with who it was.
    let word = async |id: &str| world.ledger.incident(id).await.unwrap().unwrap().approval.unwrap();
    let (yes, no, back) = (word("to-approve").await, word("to-deny").await, word("to-take-back").await);
    assert_eq!((back.granted, back.reason.as_deref()), (false, Some("changed my mind")));
    assert_eq!((yes.granted, yes.actor.as_str()), (true, "token:ann"));
    assert_eq!((no.granted, no.reason.as_deref()), (false, Some("not on a Friday")));
    let words = world.ledger.feedback_of("full").await.unwrap();
    assert_eq!((words[0].class.as_str(), words[0].actor.as_str()), ("lockfile-corruption", "token:ann"));
    assert_eq!(world.ledger.incident(&undone).await.unwrap().unwrap().outcome, None, "it is open again");
    let said = world.ledger.feedback_of("to-deny").await.unwrap();
    assert_eq!((said[1].class.as_str(), said[1].actor.as_str()), ("test-failure", "token:ann"));
    assert!(
        world.ledger.pauses(50).await.unwrap().iter().all(|pause| pause.scope != "fleet"),
        "it was ended"
    );
    let kinds: Vec<String> =
        world.ledger.audit_tail(i64::MAX, 200).await.unwrap().entries.into_iter().map(|e| e.kind).collect();
    for kind in ["paused", "unpaused", "breaker-reset", "incident-reopened", "work-listed-by-hand"] {
        assert!(kinds.iter().any(|own| own == kind), "{kind}: {kinds:?}");
    }
}
