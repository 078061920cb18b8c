//! `kill -9`: every fact that was acknowledged is there afterwards.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use regreen_saga::{Journal, StepEvent, fold};
use serde_json::json;

use crate::world::{At, Engine, OWNER, World, diagnosis, fact, incident};

both_engines! {
    what_was_acknowledged_survives,
}

const LEDGER: &str = "REGREEN_TEST_LEDGER";

/// Not a test of its own: what the killed process runs. Appends for ever, saying each number once it is durable.
#[tokio::test]
#[ignore = "started by the test below"]
async fn appends_until_it_is_killed() {
    let Ok(at) = env::var(LEDGER) else { return };
    let ledger = At::from_text(&at).open().await;
    let mut journal = ledger.journal("a", OWNER, || 2);
    for n in 0u64.. {
        let event = if n == 0 { StepEvent::Prepared { before: json!("b") } } else { StepEvent::Started };
        journal.append(&fact("s", event)).await.unwrap();
        writeln!(std::io::stdout(), "\nacknowledged {n}").unwrap();
    }
}

async fn what_was_acknowledged_survives(on: Engine) {
    for enough in [1, 7, 23] {
        let world = World::new(on).await;
        world.ledger.open_incident(&incident("a", 1, &diagnosis())).await.unwrap();
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "killed::appends_until_it_is_killed", "--ignored", "--nocapture"])
            .env(LEDGER, world.at.to_text())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut acknowledged = 0;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut count = |line: String| acknowledged += usize::from(line.starts_with("acknowledged "));
        for line in lines.by_ref() {
            let last = line == format!("acknowledged {enough}");
            count(line);
            if last {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it still said before it died counts too.
        lines.for_each(count);

        let ledger = world.at.open().await;
        let facts: Vec<_> = ledger.facts("a").await.unwrap().into_iter().map(|e| e.fact).collect();
        assert!(acknowledged > enough && facts.len() >= acknowledged, "{} of {acknowledged}", facts.len());
        // At most the one whose acknowledgement was cut off.
        assert!(facts.len() <= acknowledged + 1);
        assert!(fold(&facts).is_ok());
        assert!(ledger.audit_verify(None).await.unwrap().is_sound());
    }
}
