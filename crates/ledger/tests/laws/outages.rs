//! Services that are down: each outage is there once, whoever notices it, and who waits for it is let go once.

use std::sync::Arc;

use regreen_ledger::{Ledger, LedgerError, NewEscalation, NewOutage, NewWork, Sighting};

use crate::{
    masking::{Hides, SECRET, holds, stored},
    world::{Engine, World},
};

both_engines! {
    what_was_seen_counts_once_and_not_beyond_the_end_of_an_outage,
    two_nodes_that_notice_an_outage_begin_one,
    who_waited_is_let_go_once_and_woken,
    who_lost_the_work_ends_nothing,
    a_backup_brings_it_along_and_retention_takes_it_out,
    an_older_ledger_is_brought_up_to_date,
    no_secret_is_stored,
    how_fast_a_service_answers_is_known_for_a_week_and_of_no_other_service,
    a_list_of_outages_is_followed_page_by_page,
    what_is_escalated_has_one_issue_at_a_time,
}

const SERVICE: &str = "registry.example";

fn seen(repository: &str, at: i64) -> Sighting {
    Sighting {
        service: SERVICE.to_owned(),
        class: "network-timeout".to_owned(),
        repository: repository.to_owned(),
        at,
    }
}

fn tend(id: &str) -> (String, String) {
    (format!("outage/{id}"), format!("{{\"outage\":\"{id}\"}}"))
}

async fn begin(ledger: &Ledger, now: i64) -> String {
    let new = NewOutage { service: SERVICE, class: "network-timeout", began_at: now - 5, known: false };
    ledger.begin_outage(&new, tend, "outage", now).await.unwrap().id
}

async fn what_was_seen_counts_once_and_not_beyond_the_end_of_an_outage(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    for _ in 0..2 {
        l.sighted("i1", &[seen("o/a", 10)]).await.unwrap();
    }
    l.sighted("i2", &[seen("o/a", 30)]).await.unwrap();
    l.sighted("i3", &[seen("o/b", 20), Sighting { service: "other".to_owned(), ..seen("o/b", 20) }])
        .await
        .unwrap();
    assert_eq!(l.sightings(SERVICE, 0).await.unwrap(), [seen("o/a", 30), seen("o/b", 20)]);
    assert_eq!(l.sightings(SERVICE, 21).await.unwrap(), [seen("o/a", 30)]);
    assert_eq!(l.sightings_of("i1").await.unwrap(), [seen("o/a", 10)]);
    let id = begin(l, 40).await;
    l.end_outage(&id, |_| Vec::new(), 50).await.unwrap();
    assert_eq!(l.sightings(SERVICE, 0).await.unwrap(), []);
    l.sighted("i4", &[seen("o/c", 51)]).await.unwrap();
    assert_eq!(l.sightings(SERVICE, 0).await.unwrap(), [seen("o/c", 51)]);
    assert_eq!(l.sightings("other", 0).await.unwrap().len(), 1, "that outage is not its");
}

async fn two_nodes_that_notice_an_outage_begin_one(on: Engine) {
    let world = World::new(on).await;
    let (one, two) = (world.at.open().await, world.at.open().await);
    for round in 0..20 {
        let now = 100 * (round + 1);
        let (a, b) = tokio::join!(begin(&one, now), begin(&two, now + 1));
        assert_eq!(a, b);
        let open = one.outage_at(SERVICE).await.unwrap().unwrap();
        assert_eq!((open.id.as_str(), open.known_at, open.answers), (a.as_str(), None, 0));
        assert!(!one.tell_outage(&a, now).await.unwrap(), "nobody knows that it is one");
        one.know_outage(&a, now - 50, now + 2).await.unwrap();
        two.know_outage(&a, now - 10, now + 3).await.unwrap();
        let told = tokio::join!(one.tell_outage(&a, now), two.tell_outage(&a, now));
        assert!(told.0.unwrap() ^ told.1.unwrap());
        assert_eq!(one.probed(&a, true, now).await.unwrap(), 1);
        assert_eq!(two.probed(&a, true, now).await.unwrap(), 2);
        assert_eq!(two.probed(&a, false, now).await.unwrap(), 0);
        two.end_outage(&a, |_| Vec::new(), now + 10).await.unwrap();
        let over = one.outage(&a).await.unwrap().unwrap();
        assert_eq!((over.began_at, over.known_at, over.ended_at), (now - 50, Some(now + 2), Some(now + 10)));
    }
    // The work of looking after each, once.
    assert_eq!(one.waiting(&["outage"], i64::MAX).await.unwrap().ready, 20);
    assert_eq!((one.outages(5).await.unwrap().len(), one.outage_at(SERVICE).await.unwrap()), (5, None));
}

async fn who_waited_is_let_go_once_and_woken(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let work = |key| NewWork { kind: "run-ended", key, payload: "{}", created_at: 1, due_at: 1 };
    l.enqueue(&[work("a"), work("b"), work("c")]).await.unwrap();
    let id = begin(l, 10).await;
    let mut claims = Vec::new();
    for incident in ["ia", "ib", "ic"] {
        let claim = l.claim(&["run-ended"], "n", 1_000, 10).await.unwrap().unwrap();
        l.sighted(incident, &[seen(&format!("o/{incident}"), 9)]).await.unwrap();
        l.under(&claim).wait_for(incident, &id, 10).await.unwrap();
        claims.push(claim);
    }
    // Two are given back; one is still held when the outage ends.
    for claim in &claims[..2] {
        l.retry_at(claim, 100_000).await.unwrap();
    }
    // It asks again, and waits since when it did.
    let again = l.under(&claims[2]).wait_for("ic", &id, 15).await.unwrap();
    assert_eq!((again.since, l.waiting_for(&id).await.unwrap()), (10, 3));
    let drain = |names: &[&str]| {
        assert_eq!(names, ["ia", "ib", "ic"]);
        vec![30, 31, 32]
    };
    let released = l.end_outage(&id, drain, 20).await.unwrap();
    assert_eq!((released.incidents, released.repositories), (3, 3));
    assert_eq!(l.wait_of("ib").await.unwrap().unwrap().go_at, Some(31));
    l.retry_at(&claims[2], 100_000).await.unwrap();
    assert_eq!(l.claim(&["run-ended"], "n", 10, 29).await.unwrap(), None);
    let all = l.claim_many(&["run-ended"], "n", 10, 32, 9).await.unwrap();
    assert_eq!(all.len(), 3);
    let none = l.end_outage(&id, |names| vec![0; names.len()], 40).await.unwrap();
    assert_eq!((none.incidents, l.wait_of("ib").await.unwrap().unwrap().go_at), (0, Some(31)));
    assert_eq!(l.outage(&id).await.unwrap().unwrap().ended_at, Some(20));
}

async fn who_lost_the_work_ends_nothing(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let id = begin(l, 10).await;
    let first = l.claim(&["outage"], "n1", 10, 10).await.unwrap().unwrap();
    let _second = l.claim(&["outage"], "n2", 10, 20).await.unwrap().unwrap();
    let late = l.under(&first);
    for refused in [
        late.end_outage(&id, |_| Vec::new(), 21).await.map(|_| ()),
        late.probed(&id, true, 21).await.map(|_| ()),
        late.wait_for("i", &id, 21).await.map(|_| ()),
        late.sighted("i", &[seen("o/a", 1)]).await,
    ] {
        assert!(matches!(refused, Err(LedgerError::StaleClaim { .. })), "{refused:?}");
    }
    assert_eq!(l.outage(&id).await.unwrap().unwrap().answers, 0);
}

async fn a_backup_brings_it_along_and_retention_takes_it_out(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let id = begin(l, 10).await;
    l.sighted("i", &[seen("o/a", 9)]).await.unwrap();
    l.wait_for("i", &id, 10).await.unwrap();
    l.end_outage(&id, |_| vec![12], 11).await.unwrap();
    let now = begin(l, 2_000).await;
    l.sighted("j", &[seen("o/b", 1_999)]).await.unwrap();
    let mut file = Vec::new();
    l.backup(&mut file).await.unwrap();
    let other = World::new(on).await;
    other.ledger.restore(&mut file.as_slice()).await.unwrap();
    let r = &other.ledger;
    assert_eq!(r.outages(9).await.unwrap(), l.outages(9).await.unwrap());
    assert_eq!(r.wait_of("i").await.unwrap(), l.wait_of("i").await.unwrap());
    assert_eq!(r.sightings_of("j").await.unwrap(), [seen("o/b", 1_999)]);
    r.prune(1_000, "ann", 3_000).await.unwrap();
    assert_eq!((r.outages(9).await.unwrap().len(), r.outage(&now).await.unwrap().is_some()), (1, true));
    assert_eq!((r.wait_of("i").await.unwrap(), r.sightings_of("i").await.unwrap()), (None, vec![]));
    assert_eq!(r.sightings_of("j").await.unwrap().len(), 1);
}

async fn an_older_ledger_is_brought_up_to_date(on: Engine) {
    let world = World::lived_in_at_first(on).await;
    world.ledger.close_file().await;
    let mut db = world.at.raw().await;
    let back = "DROP TABLE sightings; DROP TABLE outages; DROP TABLE waits; DROP TABLE escalations;
                DROP TABLE host_calls; ALTER TABLE work DROP COLUMN stumbles_since;
                ALTER TABLE incidents DROP COLUMN ran_ms;
                DROP INDEX work_notices; DROP TABLE tokens; DROP TABLE sessions;
                DROP TABLE identity; DROP TABLE call_books; DROP TABLE probes; DROP TABLE sinks; DROP TABLE patterns; DROP INDEX work_notices_waiting; ALTER TABLE logs DROP COLUMN folder; DELETE FROM schema_version WHERE version >= 5";
    sqlx::raw_sql(back).execute(&mut db).await.unwrap();
    sqlx::raw_sql(super::listing::unlist(on)).execute(&mut db).await.unwrap();
    drop(db);
    let older = world.at.open_read_only().await.err().unwrap();
    assert!(matches!(older, LedgerError::Older { found: 4, .. }), "{older:?}");
    let l = world.at.open().await;
    let id = begin(&l, 10).await;
    assert_eq!(l.outage_at(SERVICE).await.unwrap().unwrap().id, id);
    assert!(l.incident("a").await.unwrap().is_some() && l.audit_verify(None).await.unwrap().is_sound());
}

async fn no_secret_is_stored(on: Engine) {
    let world = World::new(on).await;
    let l = world.at.open_as(Arc::new(Hides)).await.unwrap();
    let text = format!("leaks {SECRET} here");
    let leaky = Sighting { service: text.clone(), class: text.clone(), repository: text.clone(), at: 1 };
    l.sighted("i", &[leaky]).await.unwrap();
    l.asked(&text, Some(3), 2).await.unwrap();
    let new = NewOutage { service: &text, class: &text, began_at: 1, known: true };
    let begun = l.begin_outage(&new, tend, "outage", 2).await.unwrap();
    assert_eq!(l.outage_at(&text).await.unwrap().unwrap().id, begun.id);
    assert!(!holds(&stored(&world).await));
}

async fn how_fast_a_service_answers_is_known_for_a_week_and_of_no_other_service(on: Engine) {
    const DAY: i64 = 86_400_000;
    let world = World::new(on).await;
    let l = &world.ledger;
    assert_eq!(l.latency(SERVICE, i64::MIN, i64::MAX).await.unwrap(), None, "nobody asked");
    l.asked("other", Some(7_000), 15).await.unwrap();
    for (took, at) in [(Some(40), 10), (Some(90), 20), (None, 30), (Some(60), 40), (None, 50)] {
        l.asked(SERVICE, took, at).await.unwrap();
        // Two nodes that ask at the same moment have asked once.
        l.asked(SERVICE, Some(1), at).await.unwrap();
    }
    let all = l.latency(SERVICE, i64::MIN, i64::MAX).await.unwrap().unwrap();
    assert_eq!((all.at, all.last, all.asked), (50, None, 5));
    assert_eq!(all.took.map(|took| (took.n, took.p50, took.p95)), Some((3, 60, 90)));
    let some = l.latency(SERVICE, 20, 40).await.unwrap().unwrap();
    assert_eq!((some.at, some.last, some.asked, some.took.unwrap().n), (40, Some(60), 3, 2));
    let none = l.latency(SERVICE, 30, 30).await.unwrap().unwrap();
    assert_eq!((none.last, none.took), (None, None), "no answer is no latency");
    l.asked(SERVICE, Some(5), 7 * DAY + 25).await.unwrap();
    let left = l.latency(SERVICE, i64::MIN, i64::MAX).await.unwrap().unwrap();
    assert_eq!((left.asked, left.last), (4, Some(5)), "what is older than a week is forgotten");
    assert!(l.latency("other", i64::MIN, i64::MAX).await.unwrap().is_some());
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

async fn a_list_of_outages_is_followed_page_by_page(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    for (n, over) in [(1, true), (2, false), (3, true), (4, true), (5, false)] {
        // Two began at the same moment.
        let service = format!("s{n}.example");
        let began_at = if n == 4 { 3 } else { n };
        let new = NewOutage { service: &service, class: "network-timeout", began_at, known: false };
        let id = l.begin_outage(&new, tend, "outage", n).await.unwrap().id;
        if over {
            l.end_outage(&id, |_| Vec::new(), 9).await.unwrap();
        }
    }
    let whole: Vec<String> = l.outages(9).await.unwrap().into_iter().map(|one| one.service).collect();
    assert_eq!(
        (whole.len(), &whole[..2], &whole[4]),
        (5, ["s5.example", "s2.example"].map(str::to_owned).as_slice(), &"s1.example".to_owned())
    );
    for most in 1..=3 {
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = l.outages_after(after.as_ref(), most).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.place());
            seen.extend(page.into_iter().map(|one| one.service));
        }
        assert_eq!(seen, whole, "{most} at a time");
    }
}

fn told(incident: &str, at: i64) -> NewEscalation<'_> {
    NewEscalation { forge: "github", repository: "o/r", subject: "00ff", incident, at }
}

async fn what_is_escalated_has_one_issue_at_a_time(on: Engine) {
    let world = World::new(on).await;
    let (one, two) = (world.at.open().await, world.at.open().await);
    let (ia, ib) = (told("ia", 10), told("ib", 11));
    let (a, b) =
        tokio::join!(one.escalate(&ia, tend, "escalation", 12), two.escalate(&ib, tend, "escalation", 12));
    assert!(a.unwrap() | b.unwrap());
    let open = one.escalations("github", Some("o/r")).await.unwrap();
    assert_eq!((open.len(), open[0].incident.as_str(), open[0].changed_at), (1, "ib", 11));
    assert_eq!((one.escalations("gitlab", None).await.unwrap().len(), open[0].issue), (0, None));
    let id = open[0].id.clone();
    assert!(!one.escalate(&ib, tend, "escalation", 13).await.unwrap(), "it was said already");
    // One piece of work, woken by what is new.
    let claim = one.claim(&["escalation"], "n", 100, 20).await.unwrap().unwrap();
    one.escalation_told(&id, 7).await.unwrap();
    one.retry_at(&claim, 10_000).await.unwrap();
    assert_eq!(one.claim(&["escalation"], "n", 100, 30).await.unwrap(), None);
    assert!(one.escalate(&told("ic", 31), tend, "escalation", 31).await.unwrap());
    let claim = one.claim(&["escalation"], "n", 100, 31).await.unwrap().unwrap();
    one.escalation_green(&id, tend, 40, 40).await.unwrap();
    assert!(one.escalate(&told("id", 41), tend, "escalation", 41).await.unwrap());
    assert!(!one.close_escalation(&id, 31, 42).await.unwrap(), "something newer was said");
    assert!(one.close_escalation(&id, 41, 43).await.unwrap());
    one.finish(&claim, "closed", 43).await.unwrap();
    let closed = one.escalation(&id).await.unwrap().unwrap();
    assert_eq!((closed.issue, closed.green_at, closed.closed_at), (Some(7), Some(40), Some(43)));
    // What was before the end calls nobody again; what comes after it does.
    assert!(!one.escalate(&told("ib", 11), tend, "escalation", 44).await.unwrap());
    assert!(one.escalate(&told("ie", 45), tend, "escalation", 45).await.unwrap());
    assert_eq!(one.waiting(&["escalation"], 100).await.unwrap().ready, 1);
}
