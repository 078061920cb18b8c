//! Webhooks as their senders write them: every example payload of GitHub's, and GitLab's by its documentation.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{fs, path::Path};

use hmac::{Hmac, Mac};
use regreen_forge::{
    Conclusion,
    hook::{Command, Delivery, Event, Rejected, Secret, Secrets, Sender, receive},
};
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &str = "a-secret-of-the-tests";

fn secrets() -> Secrets {
    Secrets::new(["another-secret-before-it", SECRET].map(|text| Secret::new(text).unwrap()))
}

fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// A request as GitHub sends it, with some headers set otherwise; an empty one is left out.
fn github(name: &str, body: &[u8], otherwise: &[(&str, &str)]) -> Result<Delivery, Rejected> {
    let signed = signature(body);
    let mut headers = vec![
        ("content-type", "application/json"),
        ("x-github-event", name),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("x-hub-signature-256", signed.as_str()),
    ];
    headers.splice(0..0, otherwise.iter().copied());
    let get =
        |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, v)| *v).filter(|v| !v.is_empty());
    receive(Sender::GitHub, &secrets(), &get, body)
}

fn gitlab(name: &str, body: &[u8], otherwise: &[(&str, &str)]) -> Result<Delivery, Rejected> {
    let mut headers = vec![
        ("content-type", "application/json"),
        ("x-gitlab-event", name),
        ("x-gitlab-event-uuid", "13792a34-cac6-4fda-95a8-c58e00a3954e"),
        ("x-gitlab-token", SECRET),
    ];
    headers.splice(0..0, otherwise.iter().copied());
    let get =
        |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, v)| *v).filter(|v| !v.is_empty());
    receive(Sender::GitLab, &secrets(), &get, body)
}

/// A payload of tests/gitlab.
fn written(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/gitlab/{name}.json"))).unwrap()
}

/// Every example of npm `@octokit/webhooks-examples`, by event.
fn examples() -> Vec<(String, Value)> {
    let path = "../../target/tools/webhooks-examples/lib/node_modules/@octokit/webhooks-examples/api.github.com/index.json";
    let text = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
    let text = text.unwrap_or_else(|e| panic!("{path}: {e}; scripts/test installs it"));
    let events: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let of = |event: &Value| {
        let name = event["name"].as_str().unwrap().to_owned();
        event["examples"]
            .as_array()
            .unwrap()
            .iter()
            .map(move |e| (name.clone(), e.clone()))
            .collect::<Vec<_>>()
    };
    events.iter().flat_map(of).collect()
}

#[test]
fn every_official_example_is_accepted() {
    let mut told = std::collections::BTreeMap::<(String, &str), u32>::new();
    let examples = examples();
    assert_eq!(examples.len(), 329);
    for (name, example) in examples {
        let body = serde_json::to_vec(&example).unwrap();
        let delivery = github(&name, &body, &[]).unwrap();
        assert!(!matches!(delivery.event, Event::Refused { .. }), "{name}: {:?}", delivery.event);
        if !matches!(delivery.event, Event::Ignored { why: "this event is not used" }) {
            *told.entry((name, delivery.event.kind())).or_default() += 1;
        }
    }
    let told: Vec<_> = told.iter().map(|((name, kind), n)| (name.as_str(), *kind, *n)).collect();
    assert_eq!(
        told,
        [
            ("check_run", "check-ended", 3),
            ("check_run", "ignored", 6),
            ("issue_comment", "ignored", 9),
            ("workflow_job", "ignored", 6),
            ("workflow_job", "job-ended", 2),
            ("workflow_run", "ignored", 3),
            ("workflow_run", "run-ended", 2),
        ]
    );
}

/// The first example run, made to fail in its second attempt.
fn failed_run() -> Value {
    let mut run = examples().into_iter().find(|(name, _)| name == "workflow_run").unwrap().1;
    run["workflow_run"]["status"] = json!("completed");
    run["workflow_run"]["conclusion"] = json!("failure");
    run["workflow_run"]["run_attempt"] = json!(2);
    run
}

fn event(name: &str, payload: &Value) -> Event {
    github(name, &serde_json::to_vec(payload).unwrap(), &[]).unwrap().event
}

#[test]
fn a_failed_run_says_which_run_attempt_and_commit() {
    let Event::RunEnded(run) = event("workflow_run", &failed_run()) else { panic!("no run") };
    assert_eq!(
        (run.repository.as_str(), run.run, run.attempt),
        ("Codertocat/Hello-World", 1_589_141_559, Some(2))
    );
    assert_eq!(run.commit, "5779607b49aab1200488439f02372c57b4f75444");
    assert_eq!((run.conclusion, run.branch.as_deref()), (Conclusion::Failure, Some("main")));
    // The example's head is another repository than its base.
    assert!(run.foreign);
    let mut own = failed_run();
    own["workflow_run"]["head_repository"]["full_name"] = json!("codertocat/hello-world");
    let Event::RunEnded(run) = event("workflow_run", &own) else { panic!("no run") };
    assert!(!run.foreign);
    // A fork that was deleted: nobody knows where the commit comes from.
    own["workflow_run"]["head_repository"] = Value::Null;
    let Event::RunEnded(run) = event("workflow_run", &own) else { panic!("no run") };
    assert!(run.foreign);
}

#[test]
fn the_same_content_under_another_id_has_the_same_key() {
    let body = serde_json::to_vec(&failed_run()).unwrap();
    let one = github("workflow_run", &body, &[]).unwrap();
    let replayed = github("workflow_run", &body, &[("x-github-delivery", "another")]).unwrap();
    assert_ne!(one.id, replayed.id);
    assert_eq!(one.event.key(), replayed.event.key());
    assert_eq!(one.event.key().as_deref(), Some("run/Codertocat/Hello-World/1589141559/2"));
    // The event's name is not signed either: a run's payload is no comment, and holds none.
    for name in ["issue_comment", "check_run", "workflow_job"] {
        let event = github(name, &body, &[("x-github-delivery", "another")]).unwrap().event;
        assert_eq!(event.key(), None, "{name}: {event:?}");
    }
}

#[test]
fn nothing_is_read_of_a_body_whose_sender_is_not_proven() {
    let body = serde_json::to_vec(&failed_run()).unwrap();
    let mut other = body.clone();
    *other.last_mut().unwrap() = b' ';
    let upper = signature(&body).to_uppercase().replace("SHA256", "sha256");
    assert!(github("workflow_run", &body, &[("x-hub-signature-256", &upper)]).is_ok());
    for forged in
        ["", "sha256=", "sha1=00", &signature(&other), &signature(&body)[..70], &signature(&body)[7..]]
    {
        let answer = github("workflow_run", &body, &[("x-hub-signature-256", forged)]);
        assert_eq!(answer, Err(Rejected::Unproven), "{forged}");
    }
    let nobody = receive(Sender::GitHub, &Secrets::default(), &|_| Some(""), &body);
    assert_eq!(nobody, Err(Rejected::Unproven));
    for token in ["", "a-secret-of-the-test", "A-secret-of-the-tests"] {
        let answer = gitlab("Pipeline Hook", &written("pipeline-failed"), &[("x-gitlab-token", token)]);
        assert_eq!(answer, Err(Rejected::Unproven), "{token}");
    }
}

#[test]
fn headers_are_there_and_well_formed() {
    let body = b"{}";
    for (name, value) in [
        ("x-github-event", ""),
        ("x-github-event", "../x"),
        ("x-github-delivery", ""),
        ("x-github-delivery", "a b"),
        ("x-github-delivery", &"a".repeat(129)),
    ] {
        let answer = github("ping", body, &[(name, value)]);
        assert!(matches!(answer, Err(Rejected::Header(header)) if header == name), "{name}: {answer:?}");
    }
    for kind in ["", "text/plain", "application/jsonx"] {
        assert_eq!(github("ping", body, &[("content-type", kind)]), Err(Rejected::ContentType), "{kind}");
    }
    assert!(github("ping", body, &[("content-type", "Application/JSON; charset=utf-8")]).is_ok());
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(gitlab("Push Hook", body, &[form]), Err(Rejected::ContentType));
}

#[test]
fn a_form_carries_the_same_payload() {
    let text = serde_json::to_string(&failed_run()).unwrap();
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let delivery = github("workflow_run", format!("payload={encoded}").as_bytes(), &form).unwrap();
    assert_eq!(delivery.event, event("workflow_run", &failed_run()));
    for body in ["", "load={}", "payload={}&payload={}"] {
        assert_eq!(github("workflow_run", body.as_bytes(), &form), Err(Rejected::Body), "{body}");
    }
}

#[test]
fn what_is_not_as_documented_is_refused_and_nothing_of_it_is_repeated() {
    let mut damaged = failed_run();
    damaged["workflow_run"]["head_sha"] = json!("$(reboot)");
    let mut typed = failed_run();
    typed["workflow_run"]["id"] = json!("planted-secret");
    let mut astray = failed_run();
    astray["repository"]["full_name"] = json!("a/../../b");
    for payload in [damaged, typed, astray, json!([]), json!({ "action": "completed" })] {
        let Event::Refused { why } = event("workflow_run", &payload) else { panic!("{payload}") };
        assert!(!why.contains("reboot") && !why.contains("planted") && !why.contains(".."), "{why}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = github("workflow_run", deep.as_bytes(), &[]).unwrap();
    assert!(matches!(answer.event, Event::Refused { .. }));
}

#[test]
fn comments_command_when_they_are_new_and_a_person_wrote_them() {
    let comment =
        examples().into_iter().find(|(name, e)| name == "issue_comment" && e["action"] == "created");
    let mut comment = comment.unwrap().1;
    comment["comment"]["body"] = json!("Sounds right.\n/regreen approve 0193ab-1f-1");
    let Event::Comment(read) = event("issue_comment", &comment) else { panic!("no comment") };
    assert_eq!(read.command, Command::Approve { incident: Some("0193ab-1f-1".to_owned()) });
    assert_eq!((read.author.as_str(), read.about), ("Codertocat", Some(1)));
    let mut edited = comment.clone();
    edited["action"] = json!("edited");
    let mut bot = comment.clone();
    bot["comment"]["user"]["type"] = json!("Bot");
    for payload in [edited, bot] {
        assert!(matches!(event("issue_comment", &payload), Event::Ignored { .. }));
    }
    comment["comment"]["body"] = json!("/regreen heal");
    assert!(matches!(event("issue_comment", &comment), Event::Refused { .. }));
}

#[test]
fn a_check_of_a_job_is_the_job() {
    let check = examples().into_iter().find(|(name, e)| name == "check_run" && e["action"] == "completed");
    let mut check = check.unwrap().1;
    assert!(matches!(event("check_run", &check), Event::CheckEnded(_)), "somebody else's");
    check["check_run"]["app"] = json!({ "slug": "github-actions" });
    check["check_run"]["conclusion"] = json!("failure");
    for (details, run) in [
        ("https://github.com/Codertocat/Hello-World/actions/runs/4711/job/9001", Some(4711)),
        ("https://ghe.example/Codertocat/Hello-World/actions/runs/4711/jobs/9001?pr=1", Some(4711)),
        ("https://github.com/Codertocat/Hello-World/runs/9001", None),
        ("https://github.com/Codertocat/Hello-World/actions/runs/0/job/9001", None),
        ("https://github.com/Codertocat/Hello-World/actions/runs/99999999999999999999999/job/9001", None),
    ] {
        check["check_run"]["details_url"] = json!(details);
        let read = event("check_run", &check);
        let of = match &read {
            Event::JobEnded(job) => Some((job.run, job.attempt, job.conclusion)),
            _ => None,
        };
        assert_eq!(of, run.map(|run| (run, None, Conclusion::Failure)), "{details}");
    }
    // Told by both hooks it is one thing to do.
    check["check_run"]["details_url"] =
        json!("https://github.com/Codertocat/Hello-World/actions/runs/4711/job/9001");
    let by_check = event("check_run", &check);
    let job = examples().into_iter().find(|(name, e)| name == "workflow_job" && e["action"] == "completed");
    let mut job = job.unwrap().1;
    job["workflow_job"]["id"] = check["check_run"]["id"].clone();
    job["repository"] = check["repository"].clone();
    assert_eq!(event("workflow_job", &job).key(), by_check.key());
    assert!(by_check.key().is_some());
}

#[test]
fn gitlab_says_the_same_in_its_own_words() {
    let read = |name, payload| gitlab(name, &written(payload), &[]).unwrap().event;
    let Event::RunEnded(run) = read("Pipeline Hook", "pipeline-failed") else { panic!("no pipeline") };
    assert_eq!((run.repository.as_str(), run.run, run.attempt), ("garden/tools/rake", 4711, None));
    assert_eq!((run.conclusion, run.foreign), (Conclusion::Failure, false));
    let key = Event::RunEnded(run).key();
    assert_eq!(key.as_deref(), Some("run/garden/tools/rake/4711/2026-11-29 09:04:10 UTC"));
    let Event::RunEnded(run) = read("Pipeline Hook", "pipeline-failed-fork") else { panic!("no pipeline") };
    assert!(run.foreign);
    let Event::JobEnded(job) = read("Job Hook", "job-failed") else { panic!("no job") };
    assert_eq!((job.run, job.job, job.name.as_str()), (4711, 9001, "install"));
    let Event::Comment(note) = read("Note Hook", "note-command") else { panic!("no note") };
    assert_eq!(
        (note.command, note.author.as_str(), note.about, note.on_change),
        (Command::Retry, "ann", Some(3), true)
    );
    for (name, payload) in
        [("Pipeline Hook", "pipeline-running"), ("Note Hook", "note-system"), ("Push Hook", "push")]
    {
        assert!(matches!(read(name, payload), Event::Ignored { .. }), "{payload}");
    }
    // The header and the body must agree.
    assert!(matches!(read("Note Hook", "pipeline-failed"), Event::Refused { .. }));
}

#[test]
fn hooks_of_gitlab_that_share_an_id_are_told_apart() {
    let id =
        |payload: &str, headers: &[(&str, &str)]| gitlab("Job Hook", &written(payload), headers).unwrap().id;
    assert_eq!(id("job-failed", &[]), id("job-failed", &[]));
    assert_ne!(id("job-failed", &[]), id("push", &[]));
    assert_eq!(id("job-failed", &[("idempotency-key", "f5e5f430")]), "f5e5f430");
}

#[test]
fn a_pipeline_that_went_well_is_a_first_attempt_unless_somebody_else_repeated_some_of_it() {
    let mut payload: serde_json::Value = serde_json::from_slice(&written("pipeline-failed")).unwrap();
    payload["object_attributes"]["status"] = "success".into();
    let mut event = |by: Option<&str>| {
        payload["builds"][0]["user"] =
            by.map_or(serde_json::Value::Null, |by| serde_json::json!({ "username": by }));
        gitlab("Pipeline Hook", payload.to_string().as_bytes(), &[]).unwrap().event
    };
    for (by, attempt) in [(None, Some(1)), (Some("ann"), Some(1)), (Some("regreen-bot"), None)] {
        let Event::RunEnded(ended) = event(by) else { panic!("it is ignored") };
        assert_eq!((ended.conclusion, ended.attempt), (Conclusion::Success, attempt), "{by:?}");
    }
}
