//! The whole API against its own description: schemathesis (PyPI, installed below `target/tools` by `scripts/test`) makes requests
//! from it, good and bad, and holds every answer against it. `REGREEN_DESCRIBED_COUNT` says how many for each operation.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
};

use regreen_domain::Mode;
use regreen_engine::JobPolicy;
use regreen_forge::hook::{Secret, Secrets};
use regreen_ledger::Ledger;
use regreen_server::{
    Accepted, Doors, Hooks, Inbox, InboxFuture, Jobs, Limits, NewDelivery, access::Role, serve,
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

async fn audit_length(ledger: &Ledger) -> usize {
    ledger.audit(0, 100_000).await.unwrap().len()
}

#[tokio::test]
async fn every_answer_is_as_described() {
    let program =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/schemathesis/bin/schemathesis");
    assert!(program.exists(), "schemathesis is not there: run scripts/test once");
    let number = |name: &str, usual: u64| env::var(name).map_or(usual, |value| value.parse().unwrap());
    let (count, seed) = (number("REGREEN_DESCRIBED_COUNT", 2), number("REGREEN_DESCRIBED_SEED", 1));
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
        tokens: Secrets::new([Secret::new("a token that nobody here shows").unwrap()]),
        access: api.access.clone(),
        log: world.lines.clone(),
    };
    let doors = Doors { api: Some(api), jobs: Some(jobs), ..Doors::default() };
    let stopped = async move { drop(stopped.await) };
    let inbox = std::sync::Arc::new(Nobody);
    let log = world.lines.clone();
    let server =
        tokio::spawn(serve(listener, Hooks::default(), inbox, doors, Limits::default(), log, stopped));
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command
        .arg("run")
        .arg(format!("http://{address}/api/v1/openapi.json"))
        .args(["--header", &format!("Authorization:Bearer {token}")])
        .args(["--checks", "all", "--phases", "examples,coverage,fuzzing"])
        // Of another token's things nothing is hidden: all readers see the same.
        .args(["--exclude-checks", "object_level_authorization"])
        .args(["--max-examples", &count.to_string(), "--seed", &seed.to_string()])
        .args(["--no-shrink", "--continue-on-failure", "--suppress-health-check", "all", "--no-color"])
        .args(["--request-timeout", "20"])
        .current_dir(folder.path())
        .env("HYPOTHESIS_STORAGE_DIRECTORY", folder.path())
        .env("NO_PROXY", "*")
        .stdin(Stdio::null());
    let ran = spawn_blocking(move || command.output().unwrap()).await.unwrap();
    stop.send(()).unwrap();
    server.await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).replace(&token, "TOKEN");
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    // It really asked for something to be done, and all of that is on record.
    assert!(audit_length(&world.ledger).await > before, "{said}");
    assert!(world.ledger.audit_verify(None).await.unwrap().is_sound());
    assert!(!world.lines.all().iter().any(|line| line.contains("level=error")), "{:#?}", world.lines.all());
}
