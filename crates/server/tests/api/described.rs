//! The whole API against its own description: schemathesis (PyPI, installed below `target/tools` by `scripts/test`) makes requests
//! from it, good and bad, and holds every answer against it. `REGREEN_DESCRIBED_COUNT` says how many for each operation.

use std::{
    env, fs,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
};

use regreen_domain::Mode;
use regreen_engine::JobPolicy;
use regreen_forge::hook::{Secret, Secrets};
use regreen_ledger::Ledger;
use regreen_server::{
    Accepted, Doors, Hooks, Inbox, InboxFuture, Jobs, Limits, NewDelivery, access::Role, description, serve,
};
use tokio::{net::TcpListener, sync::oneshot, task::spawn_blocking};

use crate::{
    seed::lived_in,
    world::{self, World},
};

/// Nobody sends webhooks here.
struct Nobody;

impl Inbox for Nobody {
    fn receive<'a>(&'a self, _: &'a [NewDelivery]) -> InboxFuture<'a, Vec<Accepted>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn is_ready(&self) -> InboxFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// What all jobs show.
const JOB: &str = "a token for jobs of any repository";

/// What the description can't say of a report: that its words are known here, and its times of these days.
const SAID_IN_WORDS: &str = r#"
[[operations]]
include-path = "/api/v1/jobs/report"

[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 422]
"#;

async fn audit_length(ledger: &Ledger) -> usize {
    ledger.audit(0, 100_000).await.unwrap().len()
}

/// Lets it make requests of what a description has, of the paths that `paths` chooses, by this token. What it said: as an
/// error where anything was not as described.
fn held(
    address: SocketAddr,
    description: &str,
    token: &str,
    paths: [&str; 2],
    phases: &str,
) -> Result<String, String> {
    let program =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/schemathesis/bin/schemathesis");
    assert!(program.exists(), "schemathesis is not there: run scripts/test once");
    let number = |name: &str, usual: u64| env::var(name).map_or(usual, |value| value.parse().unwrap());
    let (count, seed) = (number("REGREEN_DESCRIBED_COUNT", 2), number("REGREEN_DESCRIBED_SEED", 1));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("schemathesis.toml"), SAID_IN_WORDS).unwrap();
    let ran = Command::new(program)
        .args(["run", description, "--url", &format!("http://{address}")])
        .args(paths)
        .args(["--header", &format!("Authorization:Bearer {token}")])
        .args(["--checks", "all", "--phases", phases])
        // Of another token's things nothing is hidden: all readers see the same.
        .args(["--exclude-checks", "object_level_authorization"])
        .args(["--max-examples", &count.to_string(), "--seed", &seed.to_string()])
        .args(["--no-shrink", "--continue-on-failure", "--suppress-health-check", "all", "--no-color"])
        .args(["--request-timeout", "20"])
        .current_dir(folder.path())
        .env("HYPOTHESIS_STORAGE_DIRECTORY", folder.path())
        .env("NO_PROXY", "*")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let [out, err] =
        [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).replace(token, "TOKEN"));
    let said = format!("{out}\n{err}");
    if ran.status.success() { Ok(said) } else { Err(said) }
}

#[tokio::test]
async fn every_answer_is_as_described() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    let token = world.token_until("schemathesis", Role::Operator, i64::MAX).await;
    let before = audit_length(&world.ledger).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let api = world.strict_api();
    let jobs = Jobs {
        ledger: world.ledger.clone(),
        policy: JobPolicy { mode: Mode::Auto, rules: Vec::new(), breaker: world::BREAKER, fleet: None },
        tokens: Secrets::new([Secret::new(JOB).unwrap()]),
        access: api.access.clone(),
        log: world.lines.clone(),
    };
    let doors = Doors { api: Some(api), jobs: Some(jobs), ..Doors::default() };
    let stopped = async move { drop(stopped.await) };
    let inbox = std::sync::Arc::new(Nobody);
    let log = world.lines.clone();
    let server =
        tokio::spawn(serve(listener, Hooks::default(), inbox, doors, Limits::default(), log, stopped));
    // Jobs may not read the description, nor anything else, and nobody else may ask as they do.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json").to_str().unwrap().to_owned();
    fs::write(&file, description().unwrap().to_string()).unwrap();
    let shown = token.clone();
    let ran = spawn_blocking(move || {
        let jobs = "^/api/v1/jobs/";
        let served = format!("http://{address}/api/v1/openapi.json");
        let all = "examples,coverage,fuzzing";
        [
            held(address, &served, &shown, ["--exclude-path-regex", jobs], all),
            // A report is large: to cover every field of it would take as long as all the rest.
            held(address, &file, JOB, ["--include-path-regex", jobs], "fuzzing"),
        ]
    });
    let ran = ran.await.unwrap();
    stop.send(()).unwrap();
    server.await.unwrap();
    for ran in ran {
        ran.unwrap_or_else(|said| panic!("{said}"));
    }
    // It really asked for something to be done, and all of that is on record.
    assert!(audit_length(&world.ledger).await > before);
    assert!(world.ledger.audit_verify(None).await.unwrap().is_sound());
    assert!(!world.lines.all().iter().any(|line| line.contains("level=error")), "{:#?}", world.lines.all());
}
