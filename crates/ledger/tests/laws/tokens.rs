//! Tokens: one name, one digest, taken away for good; and what is remembered of their use.

use regreen_ledger::{Ledger, NewToken, Token};
use sha2::{Digest as _, Sha256};

use crate::{
    backups::{packed, unpacked},
    world::{Engine, World},
};

both_engines! {
    a_token_is_made_once_and_taken_away_for_good,
    a_session_ends_with_its_token,
    a_backup_keeps_tokens_and_no_session,
    a_backup_of_before_tokens_had_a_repository_is_read,
}

const HOUR: i64 = 3_600_000;

fn new<'a>(id: &'a str, name: &'a str) -> NewToken<'a> {
    NewToken { id, name, role: "viewer", repository: "", digest: "d1", expires_at: Some(10 * HOUR) }
}

async fn token(ledger: &Ledger, id: &str) -> Token {
    ledger.token(id).await.unwrap().unwrap()
}

async fn a_token_is_made_once_and_taken_away_for_good(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    assert!(l.create_token(&new("t1", "ci"), "ann", 5).await.unwrap());
    assert!(!l.create_token(&new("t2", "ci"), "ann", 6).await.unwrap(), "the name is taken");
    let made = token(l, "t1").await;
    assert_eq!((made.name.as_str(), made.role.as_str(), made.digest.as_str()), ("ci", "viewer", "d1"));
    assert!(made.counts(10 * HOUR - 1) && !made.counts(10 * HOUR));
    // Of its use the hour is remembered, and it never goes back.
    for (now, want) in [(HOUR + 7, HOUR), (HOUR + 9, HOUR), (3 * HOUR, 3 * HOUR), (2 * HOUR, 3 * HOUR)] {
        l.token_used(&token(l, "t1").await, now).await.unwrap();
        assert_eq!(token(l, "t1").await.last_used_at, Some(want));
    }
    assert_eq!(l.revoke_token("nobody", "ann", 7).await.unwrap(), None);
    assert_eq!(l.revoke_token("ci", "ann", 7).await.unwrap().unwrap().id, "t1");
    assert_eq!(l.revoke_token("t1", "ann", 8).await.unwrap(), None, "it is gone already");
    assert!(!token(l, "t1").await.counts(9));
    assert!(l.create_token(&new("t3", "ci"), "bob", 9).await.unwrap(), "the name is free again");
    assert_eq!(l.tokens().await.unwrap().len(), 2);
    assert_eq!(l.token_ids(9).await.unwrap(), ["t3"]);
    assert!(l.token_ids(10 * HOUR).await.unwrap().is_empty(), "it has ended");
    let kinds: Vec<String> = l.audit(0, 9).await.unwrap().into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["token-created", "token-revoked", "token-created"]);
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

async fn a_session_ends_with_its_token(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    l.create_token(&new("t1", "ann"), "ann", 1).await.unwrap();
    l.sign_in("s1", "t1", "d2", 50, 2).await.unwrap();
    l.sign_in("s2", "t1", "d3", 90, 3).await.unwrap();
    let found = l.session("s1").await.unwrap().unwrap();
    assert_eq!((found.digest.as_str(), found.expires_at, found.token.id.as_str()), ("d2", 50, "t1"));
    for (now, there) in [(49, &["s1", "s2", "t1"][..]), (50, &["s2", "t1"])] {
        let mut ids = l.token_ids(now).await.unwrap();
        ids.sort();
        assert_eq!(ids, there);
    }
    l.sign_out("s1").await.unwrap();
    assert_eq!(l.session("s1").await.unwrap(), None);
    l.revoke_token("t1", "ann", 4).await.unwrap();
    assert_eq!(l.session("s2").await.unwrap(), None);
}

async fn a_backup_of_before_tokens_had_a_repository_is_read(on: Engine) {
    let (from, to) = (World::new(on).await, World::new(on).await);
    from.ledger.create_token(&new("t1", "ci"), "ann", 1).await.unwrap();
    let mut file = Vec::new();
    from.ledger.backup(&mut file).await.unwrap();
    let text = unpacked(&file).replacen("\"version\":2", "\"version\":1", 1);
    let text = text.replacen(",\"d1\",\"\",", ",\"d1\",", 1);
    let text = &text[..text.rfind("{\"end\"").unwrap()];
    let digest: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let lines = text.lines().count();
    let file = packed(&format!("{text}{{\"end\":{{\"lines\":{lines},\"sha256\":\"{digest}\"}}}}\n"));
    to.ledger.restore(&mut file.as_slice()).await.unwrap();
    assert_eq!(token(&to.ledger, "t1").await, token(&from.ledger, "t1").await);
}

async fn a_backup_keeps_tokens_and_no_session(on: Engine) {
    let (from, to) = (World::new(on).await, World::new(on).await);
    from.ledger.create_token(&new("t1", "ci"), "ann", 1).await.unwrap();
    from.ledger.sign_in("s1", "t1", "d2", 50, 2).await.unwrap();
    let mut file = Vec::new();
    from.ledger.backup(&mut file).await.unwrap();
    to.ledger.restore(&mut file.as_slice()).await.unwrap();
    assert_eq!(token(&to.ledger, "t1").await, token(&from.ledger, "t1").await);
    assert_eq!(to.ledger.session("s1").await.unwrap(), None);
    // Nothing of a token is in an export: that is for records.
    let mut export = Vec::new();
    from.ledger.export(&mut export).await.unwrap();
    assert!(!String::from_utf8_lossy(&export).contains("\"digest\""));
}
