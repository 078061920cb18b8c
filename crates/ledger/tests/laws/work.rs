//! Work on a lease: one at a time acts, and whoever lost it writes nothing.

use std::{
    collections::HashSet,
    env,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use regreen_domain::{Decision, Outcome, Refusal};
use regreen_ledger::{BreakerOutcome, Claim, Closing, Ledger, LedgerError, NewIncident, NewWork, Waiting};
use regreen_saga::{Journal, StepEvent};

use crate::{
    breakers::key,
    world::{At, Engine, OWNER, World, diagnosis, fact, incident},
};

both_engines! {
    the_life_of_an_item,
    it_can_be_woken_and_put_off,
    who_lost_it_can_write_nothing,
    an_incident_is_taken_over_only_from_who_is_gone,
    what_a_person_lists_and_what_is_given_up_is_in_the_audit_log,
    two_owners_fight_for_one_item_a_thousand_times_and_exactly_one_acts,
    two_processes_share_the_work_and_each_item_is_done_once,
    what_is_next_is_there_when_it_is_done,
    many_are_taken_and_done_at_once,
    since_when_it_stumbles_is_kept_until_nothing_stands_in_its_way,
}

const LEDGER: &str = "REGREEN_TEST_WORK";

fn work(key: &str) -> NewWork<'_> {
    NewWork { kind: "run-ended", key, payload: "{}", created_at: 10, due_at: 10 }
}

async fn take(l: &Ledger, owner: &str, now: i64) -> Option<Claim> {
    l.claim(&[], owner, 100, now).await.unwrap()
}

fn stale<T: std::fmt::Debug>(answer: Result<T, LedgerError>) -> bool {
    matches!(answer, Err(LedgerError::StaleClaim { .. }))
}

async fn the_life_of_an_item(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    assert_eq!(take(l, "n", 5).await, None);
    let items = [work("b"), NewWork { kind: "sweep", due_at: 20, ..work("a") }, work("b")];
    assert_eq!(l.enqueue(&items).await.unwrap(), [true, true, false]);
    assert_eq!(l.enqueue(&items).await.unwrap(), [false, false, false]);
    let waiting = l.waiting(&[], 15).await.unwrap();
    assert_eq!(waiting, Waiting { ready: 1, later: 1, taken: 0, oldest: Some(10) });
    assert_eq!(l.waiting(&["sweep"], 15).await.unwrap().ready, 0);
    assert_eq!(take(l, "n", 9).await, None);
    assert_eq!(l.claim(&["sweep", "other"], "n", 100, 15).await.unwrap(), None);
    let mut claim = l.claim(&["sweep", "run-ended"], "n", 100, 15).await.unwrap().unwrap();
    assert_eq!((claim.key.as_str(), claim.kind.as_str(), claim.payload.as_str()), ("b", "run-ended", "{}"));
    assert_eq!((claim.fence, claim.attempts, claim.lease_until), (1, 1, 115));
    assert_eq!(l.waiting(&[], 15).await.unwrap().taken, 1);
    // Nobody else has it until its lease ends; renewed, later.
    l.renew(&mut claim, 200, 20).await.unwrap();
    assert_eq!(claim.lease_until, 220);
    let sweep = take(l, "n", 219).await.unwrap();
    assert_eq!(sweep.key, "a");
    let second = take(l, "n2", 220).await.unwrap();
    assert_eq!((second.id, second.fence, second.attempts), (claim.id, 2, 2));
    assert!(stale(l.renew(&mut claim, 100, 221).await));
    assert!(stale(l.finish(&claim, "late", 221).await));
    assert!(stale(l.retry_at(&claim, 221).await));
    l.finish(&second, "healed", 222).await.unwrap();
    // Said again after an answer that was lost; and it stays as it was said first.
    l.finish(&second, "other", 223).await.unwrap();
    assert_eq!(l.outcome("b").await.unwrap().as_deref(), Some("healed"));
    assert_eq!(l.outcome("a").await.unwrap(), None);
    assert!(stale(l.renew(&mut second.clone(), 100, 224).await));
    assert!(stale(l.retry_at(&second, 224).await));
    assert_eq!(l.enqueue(&[work("b")]).await.unwrap(), [false]);
    for bad in ["", "a b", &"x".repeat(65)] {
        assert!(matches!(l.claim(&[], bad, 1, 1).await, Err(LedgerError::BadId { .. })));
    }
}

async fn since_when_it_stumbles_is_kept_until_nothing_stands_in_its_way(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    l.enqueue(&[work("a")]).await.unwrap();
    let claim = take(l, "n", 20).await.unwrap();
    assert_eq!((claim.created_at, claim.stumbles_since), (10, None));
    l.stumbled(&claim, 30, 21).await.unwrap();
    assert!(stale(l.stumbled(&claim, 30, 22).await), "it was given back");
    let again = take(l, "n", 30).await.unwrap();
    assert_eq!(again.stumbles_since, Some(21));
    l.stumbled(&again, 40, 31).await.unwrap();
    // Given back because somebody else was at it: that is no end of it.
    let third = take(l, "n", 40).await.unwrap();
    l.retry_at(&third, 50).await.unwrap();
    let fourth = take(l, "n", 50).await.unwrap();
    assert_eq!(fourth.stumbles_since, Some(21));
    l.wait_until(&fourth, 60).await.unwrap();
    assert!(stale(l.wait_until(&fourth, 60).await));
    assert_eq!(take(l, "n", 60).await.unwrap().stumbles_since, None);
}

async fn it_can_be_woken_and_put_off(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    assert!(!l.wake("a", 1).await.unwrap());
    l.enqueue(&[NewWork { due_at: 1000, ..work("a") }]).await.unwrap();
    assert!(l.wake("a", 2000).await.unwrap(), "later than it is due: it stays");
    assert!(l.wake("a", 500).await.unwrap());
    assert_eq!(take(l, "n", 499).await, None);
    let claim = take(l, "n", 500).await.unwrap();
    // Woken while somebody has it: not lost, and the earliest counts.
    assert!(
        l.wake("a", 700).await.unwrap() && l.wake("a", 650).await.unwrap() && l.wake("a", 800).await.unwrap()
    );
    assert_eq!(take(l, "n2", 599).await, None);
    l.retry_at(&claim, 5000).await.unwrap();
    assert!(stale(l.finish(&claim, "x", 600).await), "it was given back");
    assert_eq!(take(l, "n", 649).await, None);
    let claim = take(l, "n", 650).await.unwrap();
    l.retry_at(&claim, 900).await.unwrap();
    assert_eq!(take(l, "n", 899).await, None);
    let claim = take(l, "n", 900).await.unwrap();
    assert_eq!((claim.attempts, claim.fence), (3, 3));
    l.finish(&claim, "done", 901).await.unwrap();
    assert!(!l.wake("a", 1).await.unwrap());
    for key in ["run/o/r/7/1", "run/o/r/7/latest/x", "run/o/r/77/1", "run/o/r/7"] {
        l.enqueue(&[NewWork { due_at: 9000, ..work(key) }]).await.unwrap();
    }
    assert_eq!(l.wake_all("run/o/r/7/", 2000).await.unwrap(), 2);
    let mut woken = vec![take(l, "n", 2000).await.unwrap().key, take(l, "n", 2000).await.unwrap().key];
    woken.sort();
    assert_eq!(woken, ["run/o/r/7/1", "run/o/r/7/latest/x"]);
    assert_eq!(take(l, "n", 2001).await, None);
}

async fn who_lost_it_can_write_nothing(on: Engine) {
    let world = World::new(on).await;
    fill(&world.ledger).await;
    let lost = take(&world.ledger, "n1", 10).await.unwrap();
    let late = world.ledger.under(&lost);
    let (mut journal, d) = (late.journal("a", OWNER, || 2), diagnosis());
    // While it holds, all is as without it.
    journal.append(&fact("s", StepEvent::Started)).await.unwrap();
    late.open_incident(&incident("b", 1, &d)).await.unwrap();
    let next = take(&world.ledger, "n2", 110).await.unwrap();
    let before = world.ledger.audit_head().await.unwrap();
    let refused = journal.append(&fact("s", StepEvent::Verified)).await.unwrap_err();
    assert!(matches!(refused.source.downcast_ref(), Some(LedgerError::StaleClaim { .. })), "{refused:?}");
    let none = Decision::Nothing { because: Refusal::ModeObserve };
    assert!(stale(late.open_incident(&incident("c", 1, &d)).await));
    assert!(stale(late.decided("a", OWNER, &none, None, None, 3).await));
    assert!(stale(late.close("a", OWNER, &Closing::new(Outcome::Healed), 3).await));
    assert!(stale(late.take_over("a", "p9", 3).await));
    assert!(stale(late.await_approval("b", OWNER, 3).await));
    assert!(stale(late.breaker_outcome(&key(), "a", BreakerOutcome::Success, 3).await));
    assert!(stale(late.pause("w", "n1", "x", 3).await));
    assert!(stale(late.feedback("a", d.class, "n1", None, 3).await));
    assert!(stale(late.enqueue(&[work("more")]).await));
    assert!(stale(late.finish_with(&lost, "healed", &[work("more")], 3).await));
    assert_eq!(world.ledger.audit_head().await.unwrap(), before);
    assert_eq!(world.ledger.facts("a").await.unwrap().len(), 1);
    // Looking is free, and the next one goes on.
    assert!(late.incident("a").await.unwrap().is_some());
    let now = world.ledger.under(&next);
    now.journal("a", OWNER, || 4).append(&fact("s", StepEvent::Verified)).await.unwrap();
    world.ledger.finish(&next, "healed", 120).await.unwrap();
    assert!(stale(now.pause("w", "n2", "x", 121).await), "it is done");
    assert_eq!(world.ledger.waiting(&[], 200).await.unwrap(), Waiting::default());
    assert!(world.ledger.audit_verify(None).await.unwrap().is_sound());
}

async fn an_incident_is_taken_over_only_from_who_is_gone(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    l.enqueue(&[work("one"), work("other")]).await.unwrap();
    let one = take(l, "n1", 10).await.unwrap();
    let other = take(l, "n2", 10).await.unwrap();
    let d = diagnosis();
    l.under(&one).open_incident(&NewIncident { owner: &one.token(), ..incident("a", 10, &d) }).await.unwrap();
    let (mine, theirs) = (one.token(), other.token());
    assert_eq!(l.take_over_from_the_gone("a", &mine, 20).await.unwrap(), None, "it has it");
    assert_eq!(l.take_over_from_the_gone("a", &theirs, 109).await.unwrap(), Some(110), "it lives");
    // Its lease is over.
    assert_eq!(l.take_over_from_the_gone("a", &theirs, 110).await.unwrap(), None);
    let late = l.close("a", &mine, &Closing::new(Outcome::Healed), 111).await;
    assert!(matches!(late, Err(LedgerError::StaleOwner { .. })));
    // Given back, or done.
    l.retry_at(&other, 200).await.unwrap();
    assert_eq!(l.take_over_from_the_gone("a", &mine, 112).await.unwrap(), None);
    // An owner that is no claim is none that could be asked for.
    l.take_over("a", OWNER, 113).await.unwrap();
    assert_eq!(l.take_over_from_the_gone("a", &theirs, 114).await.unwrap(), None);
}

async fn what_a_person_lists_and_what_is_given_up_is_in_the_audit_log(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    assert!(l.enqueue_by_hand(&work("k"), "ann", 5).await.unwrap());
    assert!(!l.enqueue_by_hand(&work("k"), "ann", 6).await.unwrap());
    let claim = take(l, "n", 10).await.unwrap();
    for at in [11, 12] {
        l.give_up(&claim, "the disk is full", at).await.unwrap();
    }
    let next = Claim { fence: claim.fence + 1, ..claim };
    assert!(stale(l.give_up(&next, "x", 12).await));
    let kinds: Vec<_> = l.audit(0, 10).await.unwrap().into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["work-listed-by-hand", "work-given-up"]);
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

async fn fill(l: &Ledger) {
    l.open_incident(&incident("a", 1, &diagnosis())).await.unwrap();
    l.enqueue(&[work("k")]).await.unwrap();
}

async fn two_owners_fight_for_one_item_a_thousand_times_and_exactly_one_acts(on: Engine) {
    let world = World::new(on).await;
    let (one, two) = (world.at.open().await, world.at.open().await);
    one.enqueue(&[work("the one")]).await.unwrap();
    let mut won = [0, 0];
    for round in 0..1000i64 {
        let now = 1000 + round * 100;
        // Each takes it from the other, whose lease has just ended, at the same time.
        let (a, b) = tokio::join!(one.claim(&[], "n1", 100, now), two.claim(&[], "n2", 100, now));
        let claims = [a.unwrap(), b.unwrap()];
        assert_eq!(claims.iter().flatten().count(), 1, "round {round}");
        let winner = usize::from(claims[1].is_some());
        won[winner] += 1;
        assert_eq!(claims[winner].as_ref().unwrap().fence, round + 1);
    }
    assert_eq!(won[0] + won[1], 1000);
}

/// Not a test of its own: a node. Takes and does work until there is none, saying what it did.
#[tokio::test]
#[ignore = "started by the test below"]
async fn works_until_there_is_none() {
    let Ok(at) = env::var(LEDGER) else { return };
    let ledger = At::from_text(&at).open().await;
    let owner = format!("n{}", std::process::id());
    while let Some(claim) = take(&ledger, &owner, 20).await {
        writeln!(std::io::stdout(), "\ndid {}", claim.key).unwrap();
        ledger.finish(&claim, &owner, 21).await.unwrap();
    }
}

async fn two_processes_share_the_work_and_each_item_is_done_once(on: Engine) {
    let world = World::new(on).await;
    let keys: Vec<String> = (0..1000).map(|i| format!("k{i}")).collect();
    world.ledger.enqueue(&keys.iter().map(|key| work(key)).collect::<Vec<_>>()).await.unwrap();
    let nodes: Vec<_> = (0..2)
        .map(|_| {
            Command::new(env::current_exe().unwrap())
                .args(["--exact", "work::works_until_there_is_none", "--ignored", "--nocapture"])
                .env(LEDGER, world.at.to_text())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut did = Vec::new();
    for mut node in nodes {
        let lines = BufReader::new(node.stdout.take().unwrap()).lines().map_while(Result::ok);
        let before = did.len();
        did.extend(lines.filter_map(|line| line.strip_prefix("did ").map(str::to_owned)));
        assert!(node.wait().unwrap().success() && did.len() > before, "one node did nothing");
    }
    assert_eq!(did.len(), 1000);
    assert_eq!(did.into_iter().collect::<HashSet<_>>(), keys.into_iter().collect());
    assert_eq!(world.ledger.waiting(&[], 200).await.unwrap(), Waiting::default());
}

async fn what_is_next_is_there_when_it_is_done(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    l.enqueue(&[work("first")]).await.unwrap();
    let claim = take(l, "n", 10).await.unwrap();
    let next = [NewWork { due_at: 50, ..work("second") }, work("first")];
    l.finish_with(&claim, "healed", &next, 20).await.unwrap();
    assert_eq!(take(l, "n", 49).await, None);
    assert_eq!(take(l, "n", 50).await.unwrap().key, "second");
}

async fn many_are_taken_and_done_at_once(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let other = world.at.open().await;
    let keys: Vec<String> = (0..50).map(|i| format!("k{i}")).collect();
    l.enqueue(&keys.iter().map(|key| work(key)).collect::<Vec<_>>()).await.unwrap();
    let (mine, theirs) = tokio::join!(
        l.claim_many(&[], "n1", 100, 10, 20),
        other.claim_many(&["run-ended"], "n2", 100, 10, 20)
    );
    let (mine, theirs) = (mine.unwrap(), theirs.unwrap());
    let both: HashSet<i64> = mine.iter().chain(&theirs).map(|claim| claim.id).collect();
    assert_eq!((mine.len(), theirs.len(), both.len()), (20, 20, 40));
    assert!(l.claim_many(&["sweep"], "n1", 100, 10, 20).await.unwrap().is_empty());
    assert_eq!(l.claim_many(&[], "n1", 100, 10, 20).await.unwrap().len(), 10);
    // One was taken over meanwhile: the others count.
    let again = l.claim_many(&[], "n3", 100, 110, 1).await.unwrap().pop().unwrap();
    let all: Vec<_> = mine.iter().chain(&theirs).map(|claim| (claim, "healed")).collect();
    let counts = l.finish_many(&all, 111).await.unwrap();
    assert_eq!(counts.iter().filter(|counts| !**counts).count(), usize::from(both.contains(&again.id)));
    assert_eq!(l.finish_many(&[(&again, "healed")], 112).await.unwrap(), [true]);
}
