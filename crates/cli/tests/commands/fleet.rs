//! A ledger that is no workspace's own: named, read, written, backed up and restored.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use insta::assert_snapshot;
use regreen_domain::{Confidence, Decision, Diagnosis, FailureClass, Fingerprint, Outcome, Refusal};
use regreen_ledger::{AsIs, BreakerKey, BreakerOutcome, Closing, Ledger, NewIncident, NewOutage, Place};
use serde_json::{Value, json};

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

/// A run of octo/shop at GitHub, by its incident's name.
pub const RUN: &str = "4d-1-0d6c937a";

/// What was known when it was decided.
fn inputs(now: i64) -> Value {
    json!({
        "now": now, "regreen": "0.1.0", "findings": [],
        "command": { "tool": null, "kind": "opaque", "fetches": false },
        "policy": {
            "mode": "auto", "threshold": 0.85, "max_attempts": 3, "max_risk": "medium", "per_hour": 60, "deny": [],
        },
        "setting": {
            "in_ci": true, "untrusted_fork": false, "deploys": false, "yes": false, "rerun_always": false,
            "files_clean": true, "paths": [],
        },
        "history": {
            "attempts": 0, "breaker_open": false, "time_used_up": false, "paused": false, "tried": [], "spent_hour": 0,
        },
        "playbooks": [], "approved_as": null, "ranking": [],
    })
}

/// A ledger beside the workspace with an incident of this name, in which nothing was done; it was opened `ago` milliseconds ago.
pub fn left_alone(id: &str, ago: i64) -> (Bare, String) {
    let bare = Bare::new();
    let path = bare.base().join("fleet.db");
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = i64::try_from(since.as_millis()).unwrap() - ago;
    let diagnosis = Diagnosis {
        failed: true,
        class: FailureClass::Unknown,
        pattern: None,
        pattern_source: None,
        tool: None,
        step: None,
        confidence: Confidence::from_stored(0.5).unwrap(),
        confirmed: false,
        evidence: Vec::new(),
        alternatives: Vec::new(),
        reason: "no line of the log says why".to_owned(),
        fingerprint: Fingerprint::from_digest([7; 8]),
        truncated: false,
    };
    let new = NewIncident {
        id,
        owner: "node-1",
        opened_at: at,
        command_ended_at: Some(at),
        place: Place {
            workspace: "octo/shop".to_owned(),
            repository: Some("octo/shop".to_owned()),
            commit: Some("c0ffee".to_owned()),
            job: Some("build".to_owned()),
        },
        command: vec!["build".to_owned()],
        exit_code: None,
        diagnosis: &diagnosis,
        run_marker: None,
        attempt: 1,
        detect_ms: Some(5),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(&path, Arc::new(AsIs)).await.unwrap();
        ledger.open_incident(&new).await.unwrap();
        let decision = Decision::Nothing { because: Refusal::UnknownCause };
        let inputs = serde_json::from_value(inputs(at)).unwrap();
        ledger.decided(id, "node-1", &decision, Some(&inputs), Some(1), at).await.unwrap();
        ledger.close(id, "node-1", &Closing::new(Outcome::LeftAlone), at).await.unwrap();
        ledger.close_file().await;
    });
    (bare, path.to_str().unwrap().to_owned())
}

#[test]
fn an_incident_is_opened_again_with_the_name_of_who_asked() {
    let (bare, fleet) = left_alone(RUN, 60_000);
    let reopen =
        || bare.tell(&["incidents", "reopen", RUN, "--reason", "the registry is back", "--ledger", &fleet]);
    assert_snapshot!(reopen(), @r"
    exit code 0
    --- out
    opened again: 4d-1-0d6c937a; whoever works beside the fleet looks at its run, and decides anew by what holds then
    ");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(fleet.as_ref(), Arc::new(AsIs)).await.unwrap();
        let incident = ledger.incident(RUN).await.unwrap().unwrap();
        assert_eq!((incident.state.id(), incident.decision, incident.outcome), ("open", None, None));
        let audit = ledger.audit_of(RUN).await.unwrap();
        let opened: Vec<_> = audit.iter().filter(|entry| entry.kind == "incident-reopened").collect();
        assert_eq!(opened.len(), 1);
        let body = &opened[0].body;
        assert!(body.contains("\"cli\"") && body.contains("the registry is back"), "{body}");
        let all = ledger.audit(0, 100).await.unwrap();
        assert_eq!(
            all.iter().filter(|entry| entry.kind == "work-listed-by-hand").count(),
            1,
            "its run is listed"
        );
        ledger.close_file().await;
    });
    let verified = bare.tell(&["audit", "verify", "--ledger", &fleet]);
    assert!(verified.starts_with("exit code 0"), "{verified}");
}

#[test]
fn what_can_t_be_opened_again_stays_as_it_is() {
    let (bare, fleet) = left_alone(RUN, 21 * 3_600_000);
    assert_snapshot!(bare.tell(&["incidents", "reopen", RUN, "--ledger", &fleet]), @r"
    exit code 14
    --- err
    regreen: error: incident `4d-1-0d6c937a` is closed, so it can't be opened anew
      help: only what ended with nothing done, and was opened within 20 hours, can be opened again
    ");
    assert_snapshot!(bare.tell(&["incidents", "reopen", "none", "--ledger", &fleet]), @r"
    exit code 3
    --- err
    regreen: error: there is no incident `none`
      help: `regreen incidents list` shows what there is
    ");
    let (bare, fleet) = left_alone("19abc2f3d40-1a2b-1", 60_000);
    assert_snapshot!(bare.tell(&["incidents", "reopen", "19abc2f3d40-1a2b-1", "--ledger", &fleet]), @r"
    exit code 3
    --- err
    regreen: error: [INCIDENT A]: it is no run of a CI host's: only `regreen run` can try again there
    ");
}
