//! A ledger that is no workspace's own: named, read, written, backed up and restored.

use std::sync::Arc;

use insta::assert_snapshot;
use regreen_ledger::{AsIs, BreakerKey, BreakerOutcome, Ledger, NewOutage};

use crate::{
    said::{Bare, tell},
    support::stage::said,
};

/// A ledger beside the workspace, with one open breaker.
fn with_fleet() -> (Bare, String) {
    let bare = Bare::new();
    let path = bare.base().join("fleet.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(&path, Arc::new(AsIs)).await.unwrap();
        let key = BreakerKey {
            class: "network-timeout".to_owned(),
            service: "npm".to_owned(),
            repository: "github.com/org/repo".to_owned(),
        };
        ledger.breaker_outcome(&key, "i", BreakerOutcome::Failure, 1).await.unwrap();
        ledger.close_file().await;
    });
    (bare, path.to_str().unwrap().to_owned())
}

#[test]
fn a_ledger_that_is_named_is_read_and_written_instead_of_the_workspaces_own() {
    let (bare, fleet) = with_fleet();
    let listed = bare.tell(&["breaker", "list", "--ledger", &fleet]);
    assert_snapshot!(listed, @r"
    exit code 0
    --- out
    network-timeout/npm/github.com/org/repo  1 failure  closed
    ");
    let by_environment = tell(bare.command(&["breaker", "list"]).env("REGREEN_LEDGER", &fleet), bare.base());
    assert_eq!(by_environment, listed);
    assert_snapshot!(bare.tell(&["breaker", "list"]), @r"
    exit code 0
    --- out
    nothing is on record in this workspace
    ");
    assert_snapshot!(bare.tell(&["breaker", "reset", "--all", "--ledger", &fleet]), @r"
    exit code 0
    --- out
    closed: network-timeout/npm/github.com/org/repo
    ");
    assert_snapshot!(bare.tell(&["status", "--ledger", &fleet]), @r"
    exit code 0
    --- out
    regreen     0.1.0
    state       idle
    incidents   0
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
    let none = bare.base().join("none.db");
    assert_snapshot!(bare.tell(&["incidents", "list", "--ledger", none.to_str().unwrap()]), @r"
    exit code 0
    --- out
    nothing is on record in this ledger
    ");
}

#[test]
fn status_says_which_services_are_down() {
    let (bare, fleet) = with_fleet();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(fleet.as_ref(), Arc::new(AsIs)).await.unwrap();
        let new = NewOutage {
            service: "registry.npmjs.org",
            class: "network-timeout",
            began_at: 60_000,
            known: true,
        };
        let work = |id: &str| (id.to_owned(), "{}".to_owned());
        let outage = ledger.begin_outage(&new, work, "outage", 61_000).await.unwrap();
        ledger.wait_for("i", &outage.id, 62_000).await.unwrap();
        ledger.close_file().await;
    });
    let said = bare.tell(&["status", "--ledger", &fleet]);
    let down = "down        registry.npmjs.org since [TIME]; 1 run waits for it";
    assert!(said.lines().any(|line| line.trim() == down), "{said}");
    let said = bare.tell(&["status", "--format", "json", "--ledger", &fleet]);
    let down = r#""down":[{"service":"registry.npmjs.org","since":"[TIME]","outage":true,"runs":1}]"#;
    assert!(said.contains(down), "{said}");
}

#[test]
fn it_is_backed_up_restored_and_checked() {
    let (bare, fleet) = with_fleet();
    let (file, copy) = (bare.base().join("f.gz"), bare.base().join("copy.db"));
    let (file, copy) = (file.to_str().unwrap(), copy.to_str().unwrap());
    assert_snapshot!(bare.tell(&["ledger", "backup", file, "--ledger", &fleet]), @r"
    exit code 0
    --- out
    backed up to [BASE]/f.gz: 1 record(s), 0 deliveries, 0 piece(s) of work, 0 log(s), audit head [DIGEST]
    ");
    assert_snapshot!(bare.tell(&["ledger", "restore", file, "--ledger", copy]), @r"
    exit code 0
    --- out
    restored into [BASE]/copy.db: 1 record(s), 0 deliveries, 0 piece(s) of work, 0 log(s), audit head [DIGEST]
    ");
    assert_snapshot!(bare.tell(&["ledger", "restore", file, "--ledger", copy]), @r"
    exit code 14
    --- err
    regreen: error: the ledger `[BASE]/copy.db` is not empty
      help: restore into a new file, or a new database or schema
    ");
    assert_snapshot!(bare.tell(&["ledger", "check", "--ledger", copy]), @r"
    exit code 0
    --- out
    ledger   [BASE]/copy.db
    engine   sqlite, schema version 14
    records  1
    audit    1 entries, head [DIGEST]
    nothing is wrong
    ");
    assert_snapshot!(bare.tell(&["ledger", "check", "--ledger", copy, "--format", "json"]), @r#"
    exit code 0
    --- out
    {"version":1,"ledger":"[BASE]/copy.db","engine":"sqlite","schema":14,"records":1,"audit_entries":1,"audit_head":"[DIGEST]","sound":true,"problems":[]}
    "#);
    assert_snapshot!(bare.tell(&["ledger", "prune", "--keep-days", "30", "--ledger", copy]), @r"
    exit code 0
    --- out
    taken out: 0 incident(s), 1 breaker event(s), 0 pause(s), 0 bodies of deliveries, 0 piece(s) of work, 0 log(s)
    ");
    std::fs::write(file, b"rubbish").unwrap();
    let third = bare.base().join("third.db");
    assert_snapshot!(bare.tell(&["ledger", "restore", file, "--ledger", third.to_str().unwrap()]), @r"
    exit code 18
    --- err
    regreen: error: [BASE]/f.gz: line 1 of the backup can't be restored: it can't be read: unexpected end of file
      help: take another backup of it; this file was cut short or changed
    ");
    assert_snapshot!(bare.tell(&["ledger", "backup", file]), @r"
    exit code 3
    --- err
    regreen: error: nothing is on record in this workspace
    ");
}

#[test]
fn a_servers_password_is_never_said() {
    let bare = Bare::new();
    for (address, why) in [
        ("postgres://ann:hunter2@127.0.0.1:1/regreen", "can't be reached"),
        ("postgres://ann:hunter2@h:port/regreen", "no address of a PostgreSQL server"),
        ("mysql://ann:hunter2@h/regreen", "no address of a PostgreSQL server"),
    ] {
        let said = said(bare.command(&["status"]).env("REGREEN_LEDGER", address));
        assert_eq!(said.code, 6, "{}", said.err);
        assert!(said.err.contains(why) && said.err.contains("help: "), "{}", said.err);
        assert!(!said.err.contains("hunter2"), "{}", said.err);
    }
    assert!(!bare.tell(&["status", "--help"]).contains("hunter2"));
}

#[test]
fn tokens_are_shown_once_listed_and_taken_away() {
    let (bare, fleet) = with_fleet();
    let token = |arguments: &[&str]| bare.tell(&[arguments, &["--ledger", &fleet]].concat());
    assert_eq!(token(&["token", "list"]), "exit code 0\n--- out\nthere is no token\n");
    let made = token(&["token", "create", "--name", "ci", "--role", "operator"]);
    let text = made.lines().find(|line| line.starts_with("rgr_")).unwrap();
    assert!(made.contains("exit code 0") && made.contains("is shown once"), "{made}");
    let twice = token(&["token", "create", "--name", "ci"]);
    assert!(twice.contains("exit code 14") && twice.contains("there is a token `ci` already"), "{twice}");
    let listed = token(&["token", "list"]);
    assert!(listed.contains("ci  operator") && listed.contains("never used"), "{listed}");
    let id = text.split('_').nth(1).unwrap();
    let listed = token(&["token", "list", "--format", "json"]);
    for part in [&format!("\"id\":\"{id}\""), "\"role\":\"operator\"", "\"state\":\"good\""] {
        assert!(listed.contains(part), "{listed}");
    }
    assert!(!listed.contains(text) && !listed.contains("digest"), "{listed}");
    assert!(token(&["token", "revoke", id]).contains(&format!("taken away: ci ({id})")));
    assert!(token(&["token", "revoke", "ci"]).contains("exit code 3"));
    assert!(token(&["token", "list", "--format", "json"]).contains("\"state\":\"revoked\""));
    // A job's is for its repository, and has no other role.
    let made = token(&["token", "create", "--name", "shop", "--for-repository", "Octo/Shop"]);
    assert!(made.starts_with("exit code 0") && made.contains("rgr_"), "{made}");
    assert!(token(&["token", "list"]).contains("job of octo/shop"), "{}", token(&["token", "list"]));
    for bad in [&["--for-repository", "octo"][..], &["--for-repository", "octo/shop", "--role", "admin"]] {
        let refused = token(&[&["token", "create", "--name", "other"][..], bad].concat());
        assert!(refused.starts_with("exit code 2"), "{refused}");
    }
    for bad in [
        ["token", "create", "--name", "a b"].as_slice(),
        &["token", "create", "--name", "x", "--expires-in", "11y"],
        &["token", "create", "--name", "x", "--role", "root"],
    ] {
        assert!(token(bad).contains("exit code 2"), "{bad:?}");
    }
    // The ledger holds no token's text.
    let held = std::fs::read(&fleet).unwrap();
    let secret = text.splitn(3, '_').nth(2).unwrap().as_bytes();
    assert!(!held.windows(secret.len()).any(|part| part == secret));
}

#[test]
fn a_pause_ends_by_its_own_name_and_what_holds_still_is_said() {
    let (bare, fleet) = with_fleet();
    let asked = |command: &str, more: &[&str]| {
        let mut all = vec![command, "--fleet", "--ledger", &fleet];
        all.extend(more);
        let said = said(&mut bare.command(&all));
        let out = String::from_utf8(said.out).unwrap();
        (said.code, out.replace('\n', "|"))
    };
    let shop = ["--repository", "octo/shop"];
    let at_gitlab = ["--repository", "Octo/Shop", "--host", "gitlab"];
    for scope in [&[][..], &shop, &at_gitlab, &["--host", "github"]] {
        assert_eq!(asked("pause", scope).0, 0);
    }
    let (_, out) = asked("unpause", &shop);
    assert!(out.starts_with("that pause has ended|still paused by "), "{out}");
    for left in
        ["--fleet` ends", "--fleet --host github` ends", "--fleet --host gitlab --repository octo/shop` ends"]
    {
        assert!(out.contains(left), "{left}: {out}");
    }
    assert_eq!(out.matches("still paused").count(), 3, "{out}");
    let (_, out) = asked("unpause", &shop);
    assert!(out.starts_with("there is no such pause|still paused by "), "{out}");
    assert!(asked("unpause", &[]).1.contains("--fleet --host github` ends"));
    // What holds at the other host is no concern of this one.
    assert_eq!(asked("unpause", &at_gitlab).1, "healing goes on beside the fleet|");
    assert!(asked("unpause", &["--host", "github"]).1.starts_with("healing goes on"));
    assert_eq!(asked("unpause", &shop).1, "healing was not paused there|");
    assert_eq!(asked("pause", &["--host", "gitea"]).0, 2);
}
