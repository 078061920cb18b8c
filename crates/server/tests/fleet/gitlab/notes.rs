//! Commands in notes, from GitLab's hook to the answer: the same as at GitHub, by the same code.

use regreen_engine::pause_scope;
use regreen_forge::hook::Event;
use regreen_lab::forge::gitlab::Note;
use serde_json::Value;

use super::*;

const REQUEST: u64 = 3;

/// A merge request with a pipeline that failed, an issue of the same number, and people of every sort.
async fn asked(mode: Mode) -> (Stage, u64, JoinHandle<()>) {
    let mut stage = Stage::new().await;
    (stage.mode, stage.comments) = (mode, true);
    let (pipeline, _) = stage.host.world().add_failed(NAME, &[("build", &network())]);
    {
        let mut world = stage.host.world();
        for (name, level) in [("ann", 30), ("gus", 10), ("eve", 0), ("regreen-bot", 40)] {
            world.add_person(NAME, name, level);
        }
        let bot = world.add_person(NAME, "project_31_bot_0a1b", 40);
        world.accounts.get_mut(&bot).unwrap().bot = true;
        let found = world.pipeline(NAME, pipeline).unwrap();
        (found.source, found.reference) = ("push".to_owned(), "sharper".to_owned());
        let project = world.projects.get_mut(NAME).unwrap();
        let own = project.id;
        project.merge_requests.push(gitlab::MergeRequest {
            iid: REQUEST,
            source_project: own,
            source: "sharper".to_owned(),
            target: "main".to_owned(),
            state: "opened".to_owned(),
            closed_at: None,
            title: String::new(),
            description: String::new(),
        });
        project.issues.push(gitlab::Issue {
            assignees: Vec::new(),
            iid: REQUEST,
            author: "ann".to_owned(),
            title: String::new(),
            description: String::new(),
            open: true,
            labels: Vec::new(),
        });
    }
    let node = stage.node(LEASE).await;
    stage.hook("one", pipeline).await;
    stage.closed().await;
    (stage, pipeline, node)
}

/// A note as GitLab's hook tells of it.
fn payload(id: u64, author: &str, on: &str, text: &str) -> Value {
    let mut payload = json!({
        "object_kind": "note", "event_type": "note",
        "user": { "id": 7, "username": author },
        "project": { "path_with_namespace": NAME },
        "object_attributes": {
            "id": id, "note": text, "noteable_type": on, "author_id": 7, "system": false, "action": "create",
            "internal": false, "created_at": "2026-11-29 09:10:00 UTC", "updated_at": "2026-11-29 09:10:00 UTC",
        },
    });
    match on {
        "MergeRequest" => payload["merge_request"] = json!({ "iid": REQUEST }),
        "Issue" => payload["issue"] = json!({ "iid": REQUEST }),
        _ => {}
    }
    payload
}

impl Stage {
    async fn note(&self, delivery: &str, payload: &Value) -> Event {
        let event = read(Sender::GitLab, "Note Hook", payload.to_string().as_bytes());
        let (id, name, told) = (delivery.to_owned(), "Note Hook".to_owned(), event.clone());
        let delivery = Delivery { sender: Sender::GitLab, id, name, event };
        let inbox = LedgerInbox::new(self.ledger.clone(), self.bell.clone()).with_comments(true);
        inbox.receive(&[NewDelivery { delivery, at: crate::real_time() }]).await.unwrap();
        told
    }

    /// Somebody says that; how it ended.
    async fn say(&self, id: u64, author: &str, on: &str, text: &str) -> String {
        self.note(&format!("n{id}"), &payload(id, author, on, text)).await;
        let key = format!("gitlab/comment/{NAME}/{id}");
        let begun = Instant::now();
        loop {
            if let Some(ended) = self.ledger.outcome(&key).await.unwrap() {
                return ended;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{key}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Regreen's only answer there.
    fn answered(&self, on: &str) -> String {
        let world = self.host.world();
        let is_answer = |note: &&Note| note.on == on && note.body.starts_with("**Regreen**, to");
        let answers: Vec<_> = world.projects[NAME].notes.iter().filter(is_answer).collect();
        assert!(answers.len() < 2, "{answers:?}");
        answers.first().map(|note| note.body.clone()).unwrap_or_default()
    }
}

#[tokio::test]
async fn a_question_at_gitlab_is_answered_by_a_note() {
    let (stage, pipeline, node) = asked(Mode::Approve).await;
    let id = stage.closed().await.id;
    assert_eq!(stage.say(1, "ann", "MergeRequest", "fine\n/regreen approve").await, "obeyed");
    // By the work that the hook listed, whatever attempt that names: at once.
    stage.until("it never ran again", || stage.retries() == 1).await;
    assert!(stage.answered("merge_requests").contains(&format!("`{id}` is approved")));
    stage.finish(pipeline, "success");
    stage.hook("two", pipeline).await;
    let incident = stage.closed_at_last().await;
    assert_eq!(outcome(&incident), ("healed", ""));
    assert_eq!(incident.approval.unwrap().actor, "gitlab:ann");
    // The same note again, under another delivery's id, is the same work.
    let notes = |stage: &Stage| stage.host.world().count("PUT", "/notes");
    let before = notes(&stage);
    stage.note("again", &payload(1, "ann", "MergeRequest", "/regreen approve")).await;
    assert_eq!(stage.say(2, "ann", "MergeRequest", "/regreen explain").await, "obeyed");
    assert!(stage.answered("merge_requests").contains("network-timeout"));
    assert_eq!((notes(&stage), stage.retries()), (before + 1, 1));
    node.abort();
}

#[tokio::test]
async fn who_may_not_at_gitlab_is_refused_without_a_word() {
    let (stage, _, node) = asked(Mode::Approve).await;
    let mut id = 10;
    for author in ["eve", "gus", "regreen-bot", "project_31_bot_0a1b", "nobody"] {
        for word in ["approve", "deny", "rollback", "retry", "pause"] {
            id += 1;
            let ended = stage.say(id, author, "MergeRequest", &format!("/regreen {word}")).await;
            assert_eq!(ended, "refused", "{author} {word}");
        }
    }
    assert_eq!(stage.say(50, "eve", "MergeRequest", "/regreen explain").await, "refused");
    assert_eq!((stage.answered("merge_requests"), stage.retries()), (String::new(), 0));
    assert_eq!(stage.closed().await.state, State::AwaitingApproval);
    // A guest may look, where the project shows its pipelines to members.
    assert_eq!(stage.say(51, "gus", "MergeRequest", "/regreen explain").await, "obeyed");
    assert!(stage.answered("merge_requests").contains("ECONNRESET"));
    node.abort();
}

#[tokio::test]
async fn an_issue_of_the_same_number_is_no_merge_request() {
    let (stage, _, node) = asked(Mode::Suggest).await;
    assert_eq!(stage.say(1, "ann", "Issue", "/regreen retry").await, "obeyed");
    assert!(stage.answered("issues").contains("say it there"), "{}", stage.answered("issues"));
    assert_eq!(stage.answered("merge_requests"), "");
    assert_eq!(stage.say(2, "ann", "MergeRequest", "/regreen retry").await, "obeyed");
    assert!(stage.answered("merge_requests").contains("is looked at again"));
    assert_eq!(stage.say(3, "ann", "Issue", "/regreen pause").await, "obeyed");
    let pause = stage.ledger.paused(&pause_scope(Some(Sender::GitLab), Some(NAME))).await.unwrap().unwrap();
    assert_eq!(pause.actor, "gitlab:ann");
    node.abort();
}

#[tokio::test]
async fn notes_that_command_nothing() {
    let stage = Stage::new().await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut note = payload(1, "ann", "MergeRequest", "/regreen pause");
        change(&mut note);
        note
    };
    for (why, note) in [
        ("a commit's", payload(1, "ann", "Commit", "/regreen pause")),
        ("a snippet's", payload(1, "ann", "Snippet", "/regreen pause")),
        ("edited", with(&|note| note["object_attributes"]["action"] = json!("update"))),
        (
            "edited, by an older GitLab",
            with(&|note| {
                note["object_attributes"]["action"] = Value::Null;
                note["object_attributes"]["updated_at"] = json!("2026-11-29 09:11:00 UTC");
            }),
        ),
        ("another's", with(&|note| note["user"]["id"] = json!(8))),
        ("GitLab's own", with(&|note| note["object_attributes"]["system"] = json!(true))),
        ("internal", with(&|note| note["object_attributes"]["internal"] = json!(true))),
        ("on a confidential issue", with(&|note| note["event_type"] = json!("confidential_note"))),
    ] {
        let event = stage.note(why, &note).await;
        assert!(matches!(event, Event::Ignored { .. }), "{why}: {event:?}");
    }
    let confidential = read(Sender::GitLab, "Confidential Note Hook", b"{}");
    assert!(matches!(confidential, Event::Ignored { .. }));
    assert_eq!(stage.ledger.waiting(&[], i64::MAX - 1).await.unwrap().ready, 0);
}

#[tokio::test]
async fn an_answer_that_gitlab_did_not_take_is_put_later() {
    let (stage, _, node) = asked(Mode::Suggest).await;
    let trouble = Trouble { times: 3, ..Trouble::once("POST", "/notes", What::Status(502)) };
    stage.host.world().troubles.push(trouble);
    assert_eq!(stage.say(1, "ann", "MergeRequest", "/regreen pause").await, "obeyed");
    stage
        .until("it was never answered", || stage.answered("merge_requests").contains("paused in this"))
        .await;
    let audit = stage.ledger.audit(0, 100).await.unwrap();
    assert_eq!(audit.iter().filter(|entry| entry.kind == "paused").count(), 1);
    node.abort();
}
