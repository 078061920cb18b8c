//! State between machines: nothing is lost, nothing counts twice, and a stranger's word makes nobody act.

use proptest::prelude::*;
use regreen_ledger::{ImportMode, Imported, Ledger, LedgerError};

use crate::world::{Engine, OWNER, World, diagnosis, facts, healed, incident, server};

both_engines! {
    a_fresh_ledger_goes_on_where_the_file_ends,
    the_same_file_twice_is_the_same_as_once,
    what_is_imported_can_be_read_and_makes_nobody_act,
    an_unfinished_incident_and_a_pause_are_left_alone,
    the_newer_of_two_imported_records_wins_whichever_comes_first,
    a_file_that_does_not_add_up_is_refused_whole,
    a_time_that_no_number_holds_is_refused_on_either_engine,
}

async fn exported(ledger: &Ledger) -> Vec<u8> {
    let mut file = Vec::new();
    let report = ledger.export(&mut file).await.unwrap();
    assert_eq!(report.lines, file.iter().filter(|b| **b == b'\n').count() as u64);
    assert_eq!(report.head, ledger.audit_head().await.unwrap());
    file
}

async fn import(ledger: &Ledger, file: &[u8]) -> Result<Imported, LedgerError> {
    ledger.import(&mut &*file, 1000).await
}

async fn a_fresh_ledger_goes_on_where_the_file_ends(on: Engine) {
    let from = World::lived_in(on).await;
    let head = from.ledger.audit_head().await.unwrap();
    let file = exported(&from.ledger).await;
    let to = World::new(on).await;
    let report = import(&to.ledger, &file).await.unwrap();
    assert_eq!(report.mode, ImportMode::FastForward);
    assert_eq!((report.incidents, report.facts, report.feedback), (2, 6, 1));
    assert_eq!((report.breaker_events, report.pauses, report.patterns, report.kept), (1, 1, 1, 0));
    assert!(to.ledger.audit_verify(Some(&head)).await.unwrap().is_sound());
    assert_eq!(to.ledger.facts("a").await.unwrap(), from.ledger.facts("a").await.unwrap());
    assert!(to.ledger.paused("/w").await.unwrap().is_some());
    assert_eq!(to.ledger.accepted_patterns().await.unwrap(), from.ledger.accepted_patterns().await.unwrap());
    assert_eq!(to.ledger.metrics(1000, None).await.unwrap(), from.ledger.metrics(1000, None).await.unwrap());

    // Back again: the first one goes on where the second one is.
    healed(&to.ledger, "c", 500).await;
    let report = import(&from.ledger, &exported(&to.ledger).await).await.unwrap();
    assert_eq!((report.mode, report.incidents), (ImportMode::FastForward, 1));
    assert!(from.ledger.audit_verify(Some(&head)).await.unwrap().is_sound());
    // What was its own stays its own.
    assert_eq!(from.ledger.open_incidents().await.unwrap().len(), 1);
}

async fn the_same_file_twice_is_the_same_as_once(on: Engine) {
    let (from, to) = (World::lived_in(on).await, World::new(on).await);
    healed(&to.ledger, "own", 5).await;
    let file = exported(&from.ledger).await;
    let first = import(&to.ledger, &file).await.unwrap();
    assert_eq!((first.mode, first.incidents, first.facts), (ImportMode::Merged, 2, 6));
    let once = exported(&to.ledger).await;
    let second = import(&to.ledger, &file).await.unwrap();
    assert_eq!((second.mode, second.incidents), (ImportMode::Same, 0));
    assert_eq!(exported(&to.ledger).await, once);
    assert_eq!(import(&to.ledger, &once).await.unwrap().mode, ImportMode::Same);
    assert!(to.ledger.audit_verify(None).await.unwrap().is_sound());
}

async fn what_is_imported_can_be_read_and_makes_nobody_act(on: Engine) {
    let (from, to) = (World::lived_in(on).await, World::new(on).await);
    from.ledger.open_incident(&incident("waits", 400, &diagnosis())).await.unwrap();
    from.ledger.await_approval("waits", OWNER, 401).await.unwrap();
    import(&to.ledger, &exported(&from.ledger).await).await.unwrap();
    let l = &to.ledger;
    assert!(l.incident("b").await.unwrap().unwrap().imported);
    assert!(l.open_incidents().await.unwrap().is_empty());
    let imported = |e: Result<(), LedgerError>| matches!(e, Err(LedgerError::Imported { .. }));
    assert!(imported(l.take_over("b", OWNER, 500).await));
    assert!(imported(l.reopen("a", OWNER, "ann", "x", 500).await));
    assert!(imported(l.approve("waits", "ann", 500).await));
    assert!(imported(
        l.close("b", OWNER, &regreen_ledger::Closing::new(regreen_domain::Outcome::Healed), 9).await
    ));
    // A label may be given to it: that changes no file.
    l.feedback("b", diagnosis().class, "ann", None, 500).await.unwrap();
}

async fn an_unfinished_incident_and_a_pause_are_left_alone(on: Engine) {
    let here = World::lived_in(on).await;
    // What a hostile file could say: the pause is over, and the open incident has a longer journal.
    let forged = World::lived_in(on).await;
    forged.ledger.unpause("/w", "eve", 340).await.unwrap();
    forged.ledger.take_pattern_back("ours", "eve", 340).await.unwrap();
    facts_more(&forged.ledger).await;
    let file = exported(&forged.ledger).await;
    // Its chain goes on from this one's, word for word.
    assert!(
        forged.ledger.audit_verify(Some(&here.ledger.audit_head().await.unwrap())).await.unwrap().is_sound()
    );
    let report = import(&here.ledger, &file).await.unwrap();
    assert_eq!(report.mode, ImportMode::Merged);
    assert!(here.ledger.paused("/w").await.unwrap().is_some());
    assert_eq!(here.ledger.accepted_patterns().await.unwrap().len(), 1);
    assert_eq!(here.ledger.facts("b").await.unwrap().len(), 2);
    assert!(!here.ledger.incident("b").await.unwrap().unwrap().imported);
    assert!(here.ledger.audit_verify(None).await.unwrap().is_sound());

    // A longer journal alone is refused as well.
    let (here, forged) = (World::lived_in(on).await, World::lived_in(on).await);
    facts_more(&forged.ledger).await;
    let report = import(&here.ledger, &exported(&forged.ledger).await).await.unwrap();
    assert_eq!((report.mode, report.facts), (ImportMode::Merged, 0));
    assert!(here.ledger.audit_verify(None).await.unwrap().is_sound());
}

async fn facts_more(ledger: &Ledger) {
    use regreen_saga::{Journal, StepEvent};
    let mut journal = ledger.journal("b", OWNER, || 340);
    journal.append(&crate::world::fact("rerun", StepEvent::UndoStarted)).await.unwrap();
}

async fn the_newer_of_two_imported_records_wins_whichever_comes_first(on: Engine) {
    let from = World::new(on).await;
    from.ledger.open_incident(&incident("a", 100, &diagnosis())).await.unwrap();
    let old = exported(&from.ledger).await;
    facts(&from.ledger, "a", 110, 4).await;
    let closing = regreen_ledger::Closing::new(regreen_domain::Outcome::Healed);
    from.ledger.close("a", OWNER, &closing, 150).await.unwrap();
    let new = exported(&from.ledger).await;
    for order in [[&old, &new], [&new, &old]] {
        let to = World::new(on).await;
        // So that the chains part.
        to.ledger.pause("/v", "ann", "x", 1).await.unwrap();
        for file in order {
            import(&to.ledger, file).await.unwrap();
        }
        let stored = to.ledger.incident("a").await.unwrap().unwrap();
        assert_eq!((stored.closed_at, to.ledger.facts("a").await.unwrap().len()), (Some(150), 4));
        assert!(to.ledger.audit_verify(None).await.unwrap().is_sound());
    }
}

async fn a_file_that_does_not_add_up_is_refused_whole(on: Engine) {
    let from = World::lived_in(on).await;
    let file = String::from_utf8(exported(&from.ledger).await).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    let without = |i: usize| {
        let mut rest = lines.clone();
        rest.remove(i);
        rest.join("\n")
    };
    let long = format!("{}\n{}", lines[0], "x".repeat(2 << 20));
    let late = {
        let future = World::new(on).await;
        future.ledger.pause("/w", "ann", "x", 1000 + 2 * 86_400_000).await.unwrap();
        String::from_utf8(exported(&future.ledger).await).unwrap()
    };
    for (name, text) in [
        ("empty", String::new()),
        ("no header", without(0)),
        ("newer", file.replacen("\"version\":1", "\"version\":2", 1)),
        ("a missing entry", without(2)),
        ("a missing row", without(lines.len() - 2)),
        ("no end", without(lines.len() - 1)),
        ("cut in a line", file[..file.len() - 30].to_owned()),
        ("more after the end", format!("{file}{file}")),
        ("a changed row", file.replace("\"reason\":\"release\"", "\"reason\":\"rejoice\"")),
        ("an unknown field", file.replacen("\"version\":1", "\"version\":1,\"x\":1", 1)),
        ("a long line", long),
        ("from the future", late),
    ] {
        let to = World::new(on).await;
        let refused = import(&to.ledger, text.as_bytes()).await.err();
        assert!(matches!(refused, Some(LedgerError::BadImport { .. })), "{name}: {refused:?}");
        assert_eq!(to.ledger.audit_head().await.unwrap(), "0".repeat(64), "{name}");
    }
}

fn parsed(file: &[u8]) -> Vec<serde_json::Value> {
    file.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[test]
fn no_file_can_spoil_a_ledger() {
    let on = Engine::Sqlite;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (file, to) = runtime.block_on(async {
        let from = World::lived_in(on).await;
        (exported(&from.ledger).await, World::new(on).await)
    });
    runtime.block_on(healed(&to.ledger, "own", 5));
    let mut runner = prop::test_runner::TestRunner::new(ProptestConfig::with_cases(150));
    let strategy = (any::<prop::sample::Index>(), any::<u8>(), 0usize..40);
    runner
        .run(&strategy, |(at, byte, cut)| {
            let mut bytes = file.clone();
            let at = at.index(bytes.len());
            let gone = cut.min(bytes.len() - at);
            bytes.splice(at..at + gone, [byte]);
            let answer = runtime.block_on(import(&to.ledger, &bytes));
            // White space is all that may differ.
            prop_assert!(answer.is_err() || parsed(&bytes) == parsed(&file), "{:?}", answer);
            Ok(())
        })
        .unwrap();
    assert!(runtime.block_on(to.ledger.audit_verify(None)).unwrap().is_sound());
}

#[tokio::test]
async fn a_file_goes_from_engine_to_engine_and_back_and_is_the_same() {
    if server().is_none() {
        return;
    }
    for [first, second] in [[Engine::Sqlite, Engine::Postgres], [Engine::Postgres, Engine::Sqlite]] {
        let (from, to) = (World::lived_in(first).await, World::new(second).await);
        let file = exported(&from.ledger).await;
        assert_eq!(import(&to.ledger, &file).await.unwrap().mode, ImportMode::FastForward);
        // But for the entry that says that it was imported.
        let head = from.ledger.audit_head().await.unwrap();
        assert!(to.ledger.audit_verify(Some(&head)).await.unwrap().is_sound());
        let back = exported(&to.ledger).await;
        assert_eq!(parsed(&back).len(), parsed(&file).len() + 1);
        assert_eq!(import(&from.ledger, &back).await.unwrap().mode, ImportMode::FastForward);
        let rows =
            |file: &[u8]| -> Vec<_> { parsed(file).into_iter().filter(|l| l.get("row").is_some()).collect() };
        assert_eq!(rows(&back), rows(&file));
        assert!(from.ledger.audit_verify(Some(&head)).await.unwrap().is_sound());
    }
}

async fn a_time_that_no_number_holds_is_refused_on_either_engine(on: Engine) {
    let (from, to) = (World::lived_in(on).await, World::new(on).await);
    let file = String::from_utf8(exported(&from.ledger).await).unwrap();
    let at = file.find("\\\"act\\\":").unwrap();
    let digits = file[at..].find(',').unwrap();
    let larger = format!("{}\\\"act\\\":{}{}", &file[..at], u64::MAX, &file[at + digits..]);
    let refused = import(&to.ledger, larger.as_bytes()).await.unwrap_err();
    assert!(refused.to_string().contains("than can be counted"), "{refused}");
}
