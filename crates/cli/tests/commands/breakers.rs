//! Circuit breakers: listed by key, closed by key.

use std::sync::Arc;

use insta::assert_snapshot;
use regreen_engine::State;
use regreen_ledger::{AsIs, BreakerKey, BreakerOutcome, Ledger};

use crate::said::Bare;

/// Failures of recoveries of two causes: the first has had enough of them to open.
fn with_failures() -> Bare {
    let bare = Bare::new();
    let state = State::of(&bare.base().join("state/regreen"), &bare.work().canonicalize().unwrap());
    state.make().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(&state.ledger(), Arc::new(AsIs)).await.unwrap();
        let now = i64::try_from(
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis(),
        )
        .unwrap();
        for (class, failures) in [("cache-corruption", 3), ("network-timeout", 1)] {
            let key = BreakerKey {
                class: class.to_owned(),
                service: "npm".to_owned(),
                repository: "github.com/org/repo".to_owned(),
            };
            for i in 0..failures {
                let incident = format!("i{i}");
                ledger.breaker_outcome(&key, &incident, BreakerOutcome::Failure, now).await.unwrap();
            }
        }
        ledger.close_file().await;
    });
    bare
}

#[test]
fn they_are_listed_and_closed_by_key() {
    let bare = with_failures();
    assert_snapshot!(bare.tell(&["breaker", "list"]), @r"
    exit code 0
    --- out
    cache-corruption/npm/github.com/org/repo  3 failures  open until [TIME]
    network-timeout/npm/github.com/org/repo   1 failure   closed
    ");
    assert_snapshot!(bare.tell(&["breaker", "list", "--format", "json"]), @r#"
    exit code 0
    --- out
    {"version":1,"key":"cache-corruption/npm/github.com/org/repo","class":"cache-corruption","service":"npm","repository":"github.com/org/repo","state":"open","failures":3,"until":"[TIME]","probe":null,"last_at":"[TIME]"}
    {"version":1,"key":"network-timeout/npm/github.com/org/repo","class":"network-timeout","service":"npm","repository":"github.com/org/repo","state":"closed","failures":1,"until":null,"probe":null,"last_at":"[TIME]"}
    "#);
    assert_snapshot!(bare.tell(&["status"]), @r"
    exit code 0
    --- out
    regreen     0.1.0
    state       idle
    incidents   0
    breakers    1 not closed (see `regreen breaker list`)
    audit head  [DIGEST]

    target                   bound          measured  n  verdict
    detection accuracy       at least 95 %  -         0  no data
    false positives          under 5 %      -         0  no data
    mean detection time      under 120 s    -         0  no data
    detection latency (p95)  under 30 s     -         0  no data
    mean recovery time       under 300 s    -         0  no data
    recovery success         at least 90 %  -         0  no data
    overhead on failed jobs  under 2 %      -         0  no data
    ");
    // One that is not there: none is closed.
    assert_snapshot!(
        bare.tell(&["breaker", "reset", "cache-corruption/npm/github.com/org/repo", "cache-corruption/npm/"]),
        @r"
    exit code 3
    --- err
    regreen: error: there is no breaker `cache-corruption/npm/`
      help: `regreen breaker list` shows what there is
    "
    );
    assert!(bare.tell(&["breaker", "list"]).contains("open until"));
    assert_snapshot!(bare.tell(&["breaker", "reset", "cache-corruption/npm/github.com/org/repo"]), @r"
    exit code 0
    --- out
    closed: cache-corruption/npm/github.com/org/repo
    ");
    assert_snapshot!(bare.tell(&["breaker", "list"]), @r"
    exit code 0
    --- out
    cache-corruption/npm/github.com/org/repo  0 failures  closed
    network-timeout/npm/github.com/org/repo   1 failure   closed
    ");
    assert_snapshot!(bare.tell(&["breaker", "reset", "--all"]), @r"
    exit code 0
    --- out
    was closed by hand already: cache-corruption/npm/github.com/org/repo
    closed: network-timeout/npm/github.com/org/repo
    ");
    assert_snapshot!(bare.tell(&["audit", "verify"]), @r"
    exit code 0
    --- out
    6 entries, head [DIGEST]
    ");
}
