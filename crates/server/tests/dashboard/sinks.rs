//! A sink that fails is shown: on *Now* while it does, and on *Settings* with what it took before.

use regreen_ledger::{Heard, Ledger, NewWork};

use super::{World, news::answer, now};

const HERE: &str = "Host: localhost:8787\r\n";

/// A notice that its sink does not take.
pub async fn fails(ledger: &Ledger, why: &str, at: i64) {
    let key = "notice/ops/stuck/a";
    let new = NewWork { kind: "notice", key, payload: "{}", created_at: at, due_at: at };
    ledger.enqueue(&[new]).await.unwrap();
    let claims = ledger.claim_many(&["notice"], "teller", 1_000, at, 1).await.unwrap();
    ledger.heard_of_sink("ops", &claims, Heard::Delayed { why, when: at }, at).await.unwrap();
}

#[tokio::test]
async fn a_sink_that_fails_is_shown_until_it_takes_one() {
    let world = World::new().await;
    let ledger = &world.ledger;
    let page = answer(&world, "/", HERE).await;
    assert!(page.contains("All quiet") && !page.contains("Nobody is told"), "{page}");
    let settings = answer(&world, "/settings", HERE).await;
    assert_eq!(settings.matches("</i>not used yet</span>").count(), 2, "{settings}");
    let at = now();
    fails(ledger, "503 <script>busy</script>", at).await;
    // The page of this second may have been made before.
    let page = loop {
        let page = answer(&world, "/", HERE).await;
        if page.contains("Nobody is told by ops.") {
            break page;
        }
        assert!(now() < at + 10_000, "{page}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert!(page.contains("something is out of order"), "{page}");
    assert!(page.contains("503 &#60;script&#62;busy&#60;/script&#62;"), "{page}");
    assert!(page.contains("1 waiting, 0 given up"), "{page}");
    let settings = answer(&world, "/settings", HERE).await;
    assert!(settings.contains("</i>fails</span>") && settings.contains("503 &#60;script&#62;"), "{settings}");
    let claims = ledger.claim_many(&["notice"], "teller", 1_000, now(), 1).await.unwrap();
    ledger.heard_of_sink("ops", &claims, Heard::Sent, now()).await.unwrap();
    let settings = answer(&world, "/settings", HERE).await;
    assert!(
        settings.contains("</i>takes them</span>") && settings.contains("503 &#60;script&#62;"),
        "{settings}"
    );
    while !answer(&world, "/", HERE).await.contains("All quiet") {
        assert!(now() < at + 20_000, "it is shown for ever");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
