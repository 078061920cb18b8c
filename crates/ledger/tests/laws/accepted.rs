//! Patterns that people accepted: which stand, who said so, and that no two of one name do.

use regreen_ledger::{Acceptance, AcceptedPattern, Ledger};

use crate::world::{Engine, World};

both_engines! {
    what_is_accepted_stands_until_it_is_taken_back,
    one_of_a_name_stands_and_not_too_many_do,
    of_two_who_accept_one_name_at_once_one_does,
    an_import_brings_no_more_than_may_stand,
}

async fn names(ledger: &Ledger) -> Vec<String> {
    ledger.accepted_patterns().await.unwrap().into_iter().map(|one| one.name).collect()
}

async fn what_is_accepted_stands_until_it_is_taken_back(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let before = l.accepted_edition().await.unwrap();
    assert_eq!(l.accept_pattern("ours", "a file", "ann", 10).await.unwrap(), Acceptance::Accepted);
    let ours = AcceptedPattern {
        name: "ours".to_owned(),
        text: "a file".to_owned(),
        at: 10,
        actor: "ann".to_owned(),
    };
    assert_eq!(l.accepted_patterns().await.unwrap(), [ours]);
    let with = l.accepted_edition().await.unwrap();
    assert_ne!(with, before);

    assert!(l.take_pattern_back("ours", "bob", 20).await.unwrap());
    assert!(!l.take_pattern_back("ours", "bob", 21).await.unwrap());
    assert_eq!(names(l).await, [""; 0]);
    assert_eq!(l.accepted_edition().await.unwrap(), before);

    // The same again is another word.
    assert_eq!(l.accept_pattern("ours", "a file", "ann", 10).await.unwrap(), Acceptance::Accepted);
    assert_ne!(l.accepted_edition().await.unwrap(), with);
    let entries = l.audit(0, 99).await.unwrap();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["pattern-accepted", "pattern-taken-back", "pattern-accepted"]);
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

async fn one_of_a_name_stands_and_not_too_many_do(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let accept = async |name: &str, text: &str| l.accept_pattern(name, text, "ann", 10).await.unwrap();
    assert_eq!(accept("a", "a file").await, Acceptance::Accepted);
    assert_eq!(accept("a", "a file").await, Acceptance::Stood);
    assert_eq!(accept("a", "another").await, Acceptance::Taken);
    for n in 1..Ledger::MOST_ACCEPTED {
        assert_eq!(accept(&format!("b{n}"), "a file").await, Acceptance::Accepted);
    }
    assert_eq!(accept("c", "a file").await, Acceptance::Full);
    assert!(l.take_pattern_back("a", "ann", 20).await.unwrap());
    assert_eq!(accept("c", "a file").await, Acceptance::Accepted);
}

async fn of_two_who_accept_one_name_at_once_one_does(on: Engine) {
    let world = World::new(on).await;
    let (one, other) = (world.at.open().await, world.at.open().await);
    let (one, other) = tokio::join!(
        one.accept_pattern("a", "mine", "ann", 10),
        other.accept_pattern("a", "mine too", "bob", 10)
    );
    let mut came = [one.unwrap(), other.unwrap()];
    came.sort_by_key(|one| *one == Acceptance::Taken);
    assert_eq!(came, [Acceptance::Accepted, Acceptance::Taken]);
    assert_eq!(names(&world.ledger).await, ["a"]);
}

async fn an_import_brings_no_more_than_may_stand(on: Engine) {
    let (here, there) = (World::new(on).await, World::new(on).await);
    for n in 0..60 {
        for (ledger, name) in [(&here.ledger, "a"), (&there.ledger, "b")] {
            let accepted =
                ledger.accept_pattern(&format!("{name}{n}"), "a file", "ann", 10 + n).await.unwrap();
            assert_eq!(accepted, Acceptance::Accepted);
        }
    }
    let mut file = Vec::new();
    there.ledger.export(&mut file).await.unwrap();
    let report = here.ledger.import(&mut file.as_slice(), 100).await.unwrap();
    assert_eq!((report.patterns, report.kept), (40, 20));
    assert_eq!(names(&here.ledger).await.len(), Ledger::MOST_ACCEPTED);
    assert_eq!(here.ledger.accept_pattern("c", "a file", "ann", 100).await.unwrap(), Acceptance::Full);
    assert!(here.ledger.audit_verify(None).await.unwrap().is_sound());
    // What comes of it can be taken in elsewhere.
    let mut all = Vec::new();
    here.ledger.export(&mut all).await.unwrap();
    let fresh = World::new(on).await;
    assert_eq!(fresh.ledger.import(&mut all.as_slice(), 200).await.unwrap().patterns, 100);
    assert_eq!(names(&fresh.ledger).await, names(&here.ledger).await);
}
