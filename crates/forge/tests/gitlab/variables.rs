//! Variables that count: which ones do, and that a lost answer counts once.

use regreen_forge::{Counted, ForgeError, NotACount};
use regreen_lab::forge::{Trouble, What, gitlab::Variable};

use crate::{NAME, repository, stage};

const KEY: &str = "CACHE_VERSION";

#[tokio::test]
async fn only_a_plain_number_counts_and_no_other_value_is_told() {
    let (host, client) = stage();
    let plain = |value: &str| Variable::plain(KEY, value);
    for (variable, protected, want) in [
        (plain("7"), false, Ok(Counted { from: 7, to: 8 })),
        (plain("0"), false, Ok(Counted { from: 0, to: 1 })),
        (plain("v7"), false, Err(NotACount::NoNumber)),
        (plain("007"), false, Err(NotACount::NoNumber)),
        (plain("-1"), false, Err(NotACount::NoNumber)),
        (plain(""), false, Err(NotACount::NoNumber)),
        (plain("18446744073709551615"), false, Err(NotACount::NoNumber)),
        (Variable { masked: true, ..plain("12345678") }, false, Err(NotACount::Masked)),
        (Variable { kind: "file".to_owned(), ..plain("7") }, false, Err(NotACount::File)),
        (Variable { protected: true, ..plain("7") }, false, Err(NotACount::Protected)),
        (Variable { protected: true, ..plain("7") }, true, Ok(Counted { from: 7, to: 8 })),
        (plain("7"), true, Err(NotACount::NotProtected)),
    ] {
        host.world().projects.get_mut(NAME).unwrap().variables = vec![variable.clone()];
        let read = client.variable(&repository(), KEY).await.unwrap();
        assert_eq!(read.next(protected), want, "{variable:?}");
        assert!(!format!("{read:?}").contains("12345678"));
    }
    // The one for all environments, and no other.
    let scoped = Variable { scope: "production".to_owned(), ..plain("40") };
    host.world().projects.get_mut(NAME).unwrap().variables = vec![scoped.clone(), plain("4")];
    let step = client.variable(&repository(), KEY).await.unwrap().next(false).unwrap();
    client.count_up(&repository(), KEY, step).await.unwrap();
    assert_eq!(host.world().projects[NAME].variables, [scoped.clone(), plain("5")]);
    host.world().projects.get_mut(NAME).unwrap().variables = vec![scoped];
    let none = client.variable(&repository(), KEY).await;
    assert!(matches!(none, Err(ForgeError::NotFound { .. })), "{none:?}");
    for name in ["", "A/../B", "A?x=1"] {
        assert!(matches!(client.variable(&repository(), name).await, Err(ForgeError::Invalid { .. })));
    }
}

#[tokio::test]
async fn a_lost_answer_counts_once() {
    for (what, puts, value) in [
        (What::DoneButCut, 1, "8"),
        (What::DoneBut(502), 1, "8"),
        (What::Status(502), 2, "8"),
        (What::Status(403), 1, "7"),
    ] {
        let (host, client) = stage();
        host.world().projects.get_mut(NAME).unwrap().variables = vec![Variable::plain(KEY, "7")];
        host.world().troubles.push(Trouble::once("PUT", "/variables/", what.clone()));
        let done = client.count_up(&repository(), KEY, Counted { from: 7, to: 8 }).await;
        assert_eq!(done.is_ok(), value == "8", "{what:?}: {done:?}");
        let world = host.world();
        assert_eq!(
            (world.count("PUT", "/variables/"), &*world.projects[NAME].variables[0].value),
            (puts, value)
        );
    }
    // Somebody else's value is left.
    let (host, client) = stage();
    host.world().projects.get_mut(NAME).unwrap().variables = vec![Variable::plain(KEY, "100")];
    host.world().troubles.push(Trouble::once("PUT", "/variables/", What::Status(502)));
    let lost = client.count_up(&repository(), KEY, Counted { from: 7, to: 8 }).await;
    assert!(matches!(lost, Err(ForgeError::Unknown { .. })), "{lost:?}");
    assert_eq!(host.world().projects[NAME].variables[0].value, "100");
}
