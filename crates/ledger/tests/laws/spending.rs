//! What recovery costs, and how much is asked of the hosts: each counted once, for whom it was.

use regreen_domain::{Decision, Outcome};
use regreen_ledger::{Booking, CallsOf, Closing, Cost, Share, Whose, end_of_hour};

use crate::world::{Engine, OWNER, World, diagnosis, facts, incident, plan};

both_engines! {
    calls_are_added_up_by_the_hour_and_told_of_once,
    what_ran_again_is_counted_for_its_repository_and_its_organisation,
}

const HOUR: i64 = 3_600_000;

async fn calls_are_added_up_by_the_hour_and_told_of_once(on: Engine) {
    let world = World::new(on).await;
    let (l, other) = (&world.ledger, world.at.open().await);
    let of = |organisation, repository| CallsOf { forge: "github", organisation, repository };
    let (shop, bank, far) = (of("octo", "octo/shop"), of("octo", "octo/bank"), of("octopus", "octopus/shop"));
    let by = |book, number, at| Booking { book, number, at };
    l.add_calls(&[(shop, 3), (far, 5)], &by("one", 1, 10)).await.unwrap();
    other.add_calls(&[(bank, 4), (shop, 2)], &by("two", 1, 20)).await.unwrap();
    l.add_calls(&[], &by("one", 2, 30)).await.unwrap();
    // Its answer was lost, and it is sent again: by the same, and by one that was long under way.
    for number in [1, 0] {
        other.add_calls(&[(bank, 4), (shop, 2)], &by("two", number, 20)).await.unwrap();
    }
    assert_eq!(l.calls(shop, HOUR - 1).await.unwrap(), (5, 9));
    assert_eq!(l.calls(of("octo", "octo/new"), 0).await.unwrap(), (0, 9));
    assert_eq!(l.calls(far, 0).await.unwrap(), (5, 5));
    assert_eq!(l.calls(CallsOf { forge: "gitlab", ..shop }, 0).await.unwrap(), (0, 0));
    assert_eq!(l.calls(shop, HOUR).await.unwrap(), (0, 0), "the hour is over");
    assert_eq!((end_of_hour(0), end_of_hour(HOUR - 1), end_of_hour(HOUR)), (HOUR, HOUR, 2 * HOUR));
    for (whose, who) in [(Share::Repository, shop), (Share::Organisation, shop), (Share::Repository, bank)] {
        assert!(l.tells_of_calls(who, whose, 40).await.unwrap());
        assert!(!other.tells_of_calls(who, whose, 50).await.unwrap());
    }
    assert!(!l.tells_of_calls(bank, Share::Organisation, 60).await.unwrap(), "it is the same organisation");
    assert!(l.tells_of_calls(shop, Share::Repository, HOUR).await.unwrap());
    assert_eq!(l.calls(shop, 70).await.unwrap(), (5, 9), "telling is no call");
    l.add_calls(&[(shop, 1)], &by("one", 2, 49 * HOUR)).await.unwrap();
    assert_eq!(l.calls(shop, 0).await.unwrap(), (0, 0), "it is forgotten");
    assert_eq!(l.calls(shop, 49 * HOUR).await.unwrap(), (1, 1));
}

async fn what_ran_again_is_counted_for_its_repository_and_its_organisation(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let begin = async |id: &'static str, repository: &str, at: i64| {
        let found = diagnosis();
        let mut new = incident(id, at, &found);
        new.place.repository = Some(repository.to_owned());
        l.open_incident(&new).await.unwrap();
        l.decided(id, OWNER, &Decision::Heal(plan()), None, Some(1), at).await.unwrap();
        facts(l, id, at, 2).await;
    };
    let close = async |id: &str, ran: Option<u64>| {
        let closing = Closing { command_ms: ran, ..Closing::new(Outcome::RolledBack) };
        l.close(id, OWNER, &closing, 5_000).await.unwrap();
    };
    for (id, repository, at) in [("a", "org/repo", 100), ("b", "org/repo", 200), ("c", "org/deep/er", 300)] {
        begin(id, repository, at).await;
    }
    begin("d", "organic/repo", 400).await;
    close("a", Some(60_000)).await;
    close("c", None).await;
    let cost = |ms, day, hour| Cost { ms, day, hour };
    let ran = async |whose, except: &str, hour| l.ran(whose, except, (0, hour), 10_200).await.unwrap();
    // One is done, of which it is known how long its jobs ran; one is under way since 10 s.
    assert_eq!(ran(Whose::Repository("org/repo"), "z", 150).await, cost(70_000, 2, 1));
    assert_eq!(ran(Whose::Repository("org/repo"), "b", 0).await, cost(60_000, 1, 1));
    assert_eq!(ran(Whose::Organisation("org"), "z", 250).await, cost(70_000, 3, 1));
    assert_eq!(ran(Whose::Organisation("or"), "z", 0).await, cost(0, 0, 0));
    assert_eq!(l.ran(Whose::Organisation("org"), "z", (250, 250), 10_200).await.unwrap(), cost(0, 1, 1));
}
