//! Masked logs: kept once, capped, and what their names say.

use std::sync::Arc;

use regreen_ledger::{LOG_CAP, LedgerError, PATCH_CAP};

use crate::{
    masking::{Hides, SECRET, holds, stored},
    world::{Engine, World},
};

both_engines! {
    the_same_log_is_kept_once_and_masked,
    of_a_long_log_the_end_is_kept,
    one_that_was_changed_is_seen,
    a_patch_is_kept_as_it_is_or_not_at_all,
}

async fn the_same_log_is_kept_once_and_masked(on: Engine) {
    let world = World::new(on).await;
    let l = world.at.open_as(Arc::new(Hides)).await.unwrap();
    let text = format!("npm ERR! {SECRET}\nbye \0 \u{1f980}\n");
    let hash = l.keep_log("a", "build", &text, 1).await.unwrap();
    assert_eq!(l.keep_log("b", "build", &text, 2).await.unwrap(), hash);
    assert_eq!(l.log(&hash).await.unwrap().unwrap(), "npm ERR! ***\nbye \0 \u{1f980}\n");
    let other = l.keep_log("a", "build", "another", 3).await.unwrap();
    let (a, b) = (l.logs_of("a").await.unwrap(), l.logs_of("b").await.unwrap());
    assert_eq!((a.len(), a[0].hash.as_str(), a[0].size, a[0].omitted, a[0].at), (1, other.as_str(), 7, 0, 3));
    assert_eq!((b.len(), b[0].hash.as_str(), b[0].name.as_str()), (1, hash.as_str(), "build"));
    assert_eq!(l.log(&"0".repeat(64)).await.unwrap(), None);
    assert!(!holds(&stored(&world).await));
}

async fn of_a_long_log_the_end_is_kept(on: Engine) {
    let world = World::new(on).await;
    let text: String = (0..600_000).map(|n| format!("line {n}\n")).collect();
    let hash = world.ledger.keep_log("a", "build", &text, 1).await.unwrap();
    let kept = world.ledger.log(&hash).await.unwrap().unwrap();
    assert!(kept.len() <= LOG_CAP && kept.len() > LOG_CAP - 20 && kept.starts_with("line "));
    assert!(text.ends_with(&kept));
    let found = &world.ledger.logs_of("a").await.unwrap()[0];
    assert_eq!((found.size + found.omitted) as usize, text.len());
    // One line that is too long has no line to begin with.
    let line = "é".repeat(LOG_CAP);
    let hash = world.ledger.keep_log("a", "line", &line, 1).await.unwrap();
    assert_eq!(world.ledger.log(&hash).await.unwrap().unwrap().len(), LOG_CAP);
}

async fn one_that_was_changed_is_seen(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let (one, two) = (
        l.keep_log("a", "one", "first", 1).await.unwrap(),
        l.keep_log("a", "two", "second", 1).await.unwrap(),
    );
    let mut file = Vec::new();
    l.backup(&mut file).await.unwrap();
    let to = World::new(on).await;
    assert_eq!(to.ledger.restore(&mut file.as_slice()).await.unwrap().logs, 2);
    assert_eq!(to.ledger.log(&two).await.unwrap().as_deref(), Some("second"));
    assert_eq!(to.ledger.logs_of("a").await.unwrap(), l.logs_of("a").await.unwrap());
    sqlx::query("UPDATE logs SET body = (SELECT body FROM logs WHERE hash = $1) WHERE hash = $2")
        .bind(&two)
        .bind(&one)
        .execute(&mut world.at.raw().await)
        .await
        .unwrap();
    assert!(matches!(l.log(&one).await, Err(LedgerError::Corrupt { .. })));
    assert!(l.check(None).await.unwrap().problems.iter().any(|p| p.contains(&one)));
    let mut file = Vec::new();
    l.backup(&mut file).await.unwrap();
    let refused = World::new(on).await.ledger.restore(&mut file.as_slice()).await.unwrap_err();
    assert!(matches!(refused, LedgerError::BadBackup { .. }), "{refused:?}");
}

async fn a_patch_is_kept_as_it_is_or_not_at_all(on: Engine) {
    let world = World::new(on).await;
    let l = world.at.open_as(Arc::new(Hides)).await.unwrap();
    assert!(!l.keep_patch("a", &format!("+password = {SECRET}\n"), 1).await.unwrap());
    assert_eq!((l.patch_of("a").await.unwrap(), l.logs_of("a").await.unwrap()), (None, Vec::new()));
    assert!(!holds(&stored(&world).await));
    assert!(!l.keep_patch("a", "", 1).await.unwrap());
    let text = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+two\n";
    assert!(l.keep_patch("a", text, 1).await.unwrap());
    let hash = l.patch_of("a").await.unwrap().unwrap();
    assert_eq!(l.log(&hash).await.unwrap().as_deref(), Some(text));
    assert!(l.keep_patch("a", &"+x\n".repeat(PATCH_CAP), 2).await.unwrap());
    let long = l.log(&l.patch_of("a").await.unwrap().unwrap()).await.unwrap().unwrap();
    assert!(long.len() < PATCH_CAP + 64 && long.ends_with("more bytes are left out\n"), "{}", long.len());
}
