//! The dashboard in a real browser, over a real server and a ledger in which much happened; `scripts/test` installs Chromium
//! and what drives it. The pictures of each page lie in `target/dashboard` afterwards.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod acting;
mod crowd;
mod figures;
mod healing;
mod listeners;
mod news;
mod seed;
mod sinks;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use regreen_ledger::{AsIs, BreakerPolicy, Ledger, NewToken};
use regreen_server::{
    Doors, Happening, Hooks, LedgerInbox, Limits, Log, Pages, Settings, Value,
    access::{Access, Role, mint},
    serve,
    shape::Worth,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    process::Command,
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
        let path = folder.path().join("ledger.db");
        let ledger = Ledger::open(&path, Arc::new(AsIs)).await.unwrap();
        let pages = Pages {
            ledger: Ledger::open_read_only(&path, Arc::new(AsIs)).await.unwrap(),
            writes: ledger.clone(),
            bell: Arc::default(),
            catalog: Arc::new(regreen_builtin::catalog().unwrap()),
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
                values: vec![Value {
                    name: "serve.mode".to_owned(),
                    value: seed::HOSTILE[0].to_owned(),
                    source: "the operator".to_owned(),
                }],
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

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
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
    sinks::fails(&world.ledger, &format!("503 {} {}", seed::HOSTILE[0], "x".repeat(150)), now()).await;
    seed::waits(&world.ledger, "to-approve", now()).await;
    seed::waits(&world.ledger, "to-deny", now()).await;
    let token = world.token("ann", Role::Operator).await;
    let mut browser = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dashboard/pages.cjs"))
        .args([&driver, &axe, &pictures])
        .arg(format!("http://localhost:{}", world.port))
        .arg(token)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node is not there: run scripts/test once");
    let mut told = browser.stdin.take().unwrap();
    let mut says = BufReader::new(browser.stdout.take().unwrap()).lines();
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
    assert!(browser.wait().await.unwrap().success(), "{}", complaints.join("\n"));
    assert_eq!(complaints.join("\n"), "");
    let picture = std::fs::read(pictures.join("incident.webp")).unwrap();
    assert!(picture.starts_with(b"RIFF") && picture.len() > 10_000, "the README's picture");
    // What was clicked is on record, with who it was.
    let word = async |id: &str| world.ledger.incident(id).await.unwrap().unwrap().approval.unwrap();
    let (yes, no) = (word("to-approve").await, word("to-deny").await);
    assert_eq!((yes.granted, yes.actor.as_str()), (true, "token:ann"));
    assert_eq!((no.granted, no.reason.as_deref()), (false, Some("not on a Friday")));
    let said = world.ledger.feedback_of("to-deny").await.unwrap();
    assert_eq!((said[1].class.as_str(), said[1].actor.as_str()), ("test-failure", "token:ann"));
    assert!(
        world.ledger.pauses(50).await.unwrap().iter().all(|pause| pause.scope != "fleet"),
        "it was ended"
    );
    let kinds: Vec<String> =
        world.ledger.audit_tail(i64::MAX, 200).await.unwrap().entries.into_iter().map(|e| e.kind).collect();
    for kind in ["paused", "unpaused", "breaker-reset"] {
        assert!(kinds.iter().any(|own| own == kind), "{kind}: {kinds:?}");
    }
}
