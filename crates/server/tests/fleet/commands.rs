//! Commands in comments: who may, what is done, what is answered.

use std::time::{Duration, Instant};

use regreen_domain::Mode;
use regreen_engine::{Answer, EndedRun, pause_scope};
use regreen_forge::{
    Conclusion, ForgeError, Marker, Permission, Repository, RunRef,
    hook::{Command, Comment, Delivery, Event, Sender},
};
use regreen_ledger::State;
use regreen_server::{Inbox as _, LedgerInbox, NewDelivery, Reply, Task};
use tokio::{task::JoinHandle, time::sleep};

use crate::{RUN, Stage, host::NETWORK, octo, outcome, real_time};

const PULL: u64 = 7;

/// A failed run of a pull request, and a node that obeys.
async fn stage(mode: Mode) -> (Stage, JoinHandle<()>) {
    let mut stage = Stage::new(mode).await;
    (stage.config.comments, stage.config.ask_ms) = (true, 20);
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.host.make_pull(RUN, PULL);
    stage.host.permit("ann", Permission::Write);
    let node = stage.start_one();
    (stage, node)
}

impl Stage {
    /// Somebody says that, by the comment with this number; ready once it is done with. How it ended.
    async fn say(&self, author: &str, comment: u64, command: Command) -> String {
        self.say_in(octo(), author, comment, command).await
    }

    async fn say_in(&self, repository: Repository, author: &str, comment: u64, command: Command) -> String {
        self.say_at(real_time(), repository, author, comment, command).await
    }

    async fn say_at(
        &self,
        at: i64,
        repository: Repository,
        author: &str,
        comment: u64,
        command: Command,
    ) -> String {
        let key = format!("github/comment/{repository}/{comment}");
        let author = author.to_owned();
        let event = Event::Comment(Comment {
            repository,
            comment,
            about: Some(PULL),
            on_change: true,
            author,
            command,
        });
        let (sender, name) = (Sender::GitHub, "issue_comment".to_owned());
        let delivery = Delivery { sender, id: format!("c{comment}"), name, event };
        let inbox = LedgerInbox::new(self.ledger.clone(), self.bell.clone());
        let inbox = inbox.with_comments(self.config.comments);
        inbox.receive(&[NewDelivery { delivery, at }]).await.unwrap();
        let begun = Instant::now();
        loop {
            if let Some(ended) = self.ledger.outcome(&key).await.unwrap() {
                return ended;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{key}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// What is answered on the pull request, in its only comment.
    fn answered(&self) -> String {
        let said = self.host.said(PULL);
        let mut answers = said.into_iter().filter(|text| text.starts_with("**Regreen**, to"));
        let answer = answers.next().unwrap_or_default();
        assert_eq!(answers.next(), None);
        answer
    }

    async fn state(&self) -> State {
        self.incidents().await[0].state
    }
}

#[tokio::test]
async fn a_question_is_answered_by_a_comment() {
    for (command, reruns) in [(Command::Approve { incident: None }, 1), (Command::Deny { incident: None }, 0)]
    {
        let (stage, node) = stage(Mode::Approve).await;
        stage.hook("one", RUN, 1, Conclusion::Failure).await;
        let id = stage.closed().await.id;
        let word = command.word();
        assert_eq!(stage.say("ann", 1, command).await, "obeyed");
        if reruns == 1 {
            stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
            stage.host.end(RUN, Conclusion::Success);
        }
        let begun = Instant::now();
        while stage.state().await != State::Closed {
            assert!(begun.elapsed() < Duration::from_secs(20));
            sleep(Duration::from_millis(5)).await;
        }
        let incident = stage.incidents().await.remove(0);
        let healed = if reruns == 1 { "healed" } else { "left-alone" };
        assert_eq!((outcome(&incident).0, stage.host.reruns(RUN)), (healed, reruns));
        assert_eq!(incident.approval.unwrap().actor, "github:ann");
        assert!(
            stage
                .answered()
                .contains(&format!("`{id}` is {}", if reruns == 1 { "approved" } else { "denied" })),
            "{word}"
        );
        // Said again, there is nothing that waits; the same comment says so.
        assert_eq!(stage.say("ann", 2, Command::Deny { incident: None }).await, "obeyed");
        assert!(stage.answered().contains("nothing waits"));
        assert_eq!(stage.say("ann", 3, Command::Approve { incident: Some(id) }).await, "obeyed");
        assert!(stage.answered().contains("does not wait for a word"), "{}", stage.answered());
        node.abort();
    }
}

#[tokio::test]
async fn who_may_not_is_refused_without_a_word() {
    let (stage, node) = stage(Mode::Approve).await;
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.closed().await;
    stage.host.permit("eve", Permission::None);
    stage.host.permit("regreen[bot]", Permission::Admin);
    let mut comment = 0;
    for author in ["a-stranger", "eve", "regreen[bot]"] {
        for command in [
            Command::Approve { incident: None },
            Command::Deny { incident: None },
            Command::Rollback { incident: None },
            Command::Retry,
            Command::Pause,
        ] {
            comment += 1;
            assert_eq!(stage.say(author, comment, command).await, "refused");
        }
    }
    assert_eq!(stage.say("eve", 50, Command::Explain).await, "refused");
    assert_eq!(stage.answered(), "");
    assert_eq!((stage.state().await, stage.host.reruns(RUN)), (State::AwaitingApproval, 0));
    assert!(
        stage.ledger.paused(&pause_scope(Some(Sender::GitHub), Some("octo/shop"))).await.unwrap().is_none()
    );
    // Whoever may look may ask what was found.
    assert_eq!(stage.say("a-stranger", 51, Command::Explain).await, "obeyed");
    let answer = stage.answered();
    assert!(answer.contains("network-timeout") && answer.contains("ECONNRESET"), "{answer}");
    node.abort();
}

#[tokio::test]
async fn no_command_reaches_another_repository() {
    let (stage, node) = stage(Mode::Approve).await;
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    let id = stage.closed().await.id;
    let other = || Repository::parse("ann/own").unwrap();
    for (comment, command) in [
        (1, Command::Approve { incident: Some(id.clone()) }),
        (2, Command::Rollback { incident: Some(id) }),
        (3, Command::Approve { incident: None }),
        (4, Command::Pause),
    ] {
        assert_eq!(stage.say_in(other(), "ann", comment, command).await, "obeyed");
    }
    assert_eq!((stage.state().await, stage.host.reruns(RUN)), (State::AwaitingApproval, 0));
    assert!(
        stage.ledger.paused(&pause_scope(Some(Sender::GitHub), Some("octo/shop"))).await.unwrap().is_none()
    );
    node.abort();
}

#[tokio::test]
async fn no_command_reaches_a_repository_of_that_name_at_another_host() {
    let (stage, node) = stage(Mode::Approve).await;
    let run = RunRef { repository: octo(), run_id: RUN };
    let task = Task::Run { sender: Sender::GitLab, ended: EndedRun { run, attempt: Some(1) } };
    stage.ledger.enqueue(&[task.listed(1).work()]).await.unwrap();
    stage.bell.notify_one();
    let id = stage.closed().await.id;
    for (comment, command) in [
        (1, Command::Approve { incident: Some(id.clone()) }),
        (2, Command::Approve { incident: None }),
        (3, Command::Deny { incident: Some(id) }),
        (4, Command::Retry),
        (5, Command::Explain),
    ] {
        assert_eq!(stage.say("ann", comment, command).await, "obeyed");
        assert!(
            stage.answered().contains("no") && !stage.answered().contains("network"),
            "{}",
            stage.answered()
        );
    }
    assert_eq!((stage.state().await, stage.host.reruns(RUN)), (State::AwaitingApproval, 0));
    // The same run at the other host is another one.
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    let begun = Instant::now();
    while stage.incidents().await.len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(5)).await;
    }
    node.abort();
}

#[tokio::test]
async fn a_pause_by_comment_holds_with_the_name_of_who_said_it() {
    let (stage, node) = stage(Mode::Auto).await;
    assert_eq!(stage.say("ann", 1, Command::Pause).await, "obeyed");
    let pause =
        stage.ledger.paused(&pause_scope(Some(Sender::GitHub), Some("octo/shop"))).await.unwrap().unwrap();
    assert_eq!(pause.actor, "github:ann");
    // What is called so at another host goes on.
    for elsewhere in
        [pause_scope(None, Some("octo/shop")), pause_scope(Some(Sender::GitLab), Some("octo/shop"))]
    {
        assert!(stage.ledger.paused(&elsewhere).await.unwrap().is_none());
    }
    assert!(stage.answered().contains("paused in this repository"));
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    assert_eq!(outcome(&stage.closed().await), ("suggested", "paused"));
    let paused = stage.ledger.audit(0, 100).await.unwrap();
    assert_eq!(paused.iter().filter(|entry| entry.kind == "paused").count(), 1);
    node.abort();
}

#[tokio::test]
async fn what_could_not_be_answered_is_not_carried_out_again() {
    let (stage, node) = stage(Mode::Approve).await;
    stage.host.comment_goes(ForgeError::Unreachable { what: "it".to_owned(), why: "status 502".to_owned() });
    assert_eq!(stage.say("ann", 1, Command::Approve { incident: None }).await, "obeyed");
    // A question that is asked later is nobody's yes.
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.closed().await;
    let told = async |key: &str| {
        let begun = Instant::now();
        while stage.ledger.outcome(key).await.unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{key}");
            sleep(Duration::from_millis(5)).await;
        }
        stage.ledger.outcome(key).await.unwrap().unwrap()
    };
    // It is answered later, with what came of it then.
    assert_eq!(told("github/answer/octo/shop/1").await, "answered");
    assert!(stage.answered().contains("nothing waits"), "{}", stage.answered());
    assert_eq!((stage.state().await, stage.host.reruns(RUN)), (State::AwaitingApproval, 0));
    // What answers a later comment stays, whatever the clocks say.
    let answer = |comment, since, text: &str| {
        let text = Marker::in_order(text, (0, 0));
        let answer = Answer { repository: octo(), about: PULL, on_change: true, text };
        Task::Answer { sender: Sender::GitHub, reply: Reply { comment, since, answer } }
    };
    for (comment, fails) in [(2, None), (3, Some("status 503"))] {
        if let Some(why) = fails {
            let (what, why) = ("it".to_owned(), why.to_owned());
            stage.host.comment_goes(ForgeError::Unreachable { what, why });
        }
        let listed = answer(comment, 1, "**Regreen**, to something older").listed(1);
        stage.ledger.enqueue(&[listed.work()]).await.unwrap();
        stage.bell.notify_one();
        let ended = told(&format!("github/answer/octo/shop/{comment}")).await;
        // What fails for longer than a day is given up.
        assert_eq!(ended, if fails.is_some() { "given-up" } else { "answered" });
        assert!(stage.answered().contains("nothing waits"), "{}", stage.answered());
    }
    let audit = stage.ledger.audit(0, 100).await.unwrap();
    assert!(audit.iter().any(|entry| entry.kind == "work-given-up" && entry.body.contains("status 503")));
    node.abort();
}

#[tokio::test]
async fn a_comment_means_nothing_that_began_after_it() {
    // As where a node died between what it did and the end of its work.
    for (mode, command) in [
        (Mode::Approve, Command::Approve { incident: None }),
        (Mode::Approve, Command::Deny { incident: None }),
        (Mode::Auto, Command::Rollback { incident: None }),
    ] {
        let before = real_time() - 1;
        let (stage, node) = stage(mode).await;
        stage.hook("one", RUN, 1, Conclusion::Failure).await;
        let state = match mode {
            Mode::Auto => {
                stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
                State::Open
            }
            _ => stage.closed().await.state,
        };
        assert_eq!(stage.say_at(before, octo(), "ann", 1, command).await, "obeyed");
        assert!(stage.answered().contains("nothing waits"), "{}", stage.answered());
        assert_eq!((stage.state().await, stage.host.cancels(RUN)), (state, 0));
        node.abort();
    }
}

#[tokio::test]
async fn a_pause_that_somebody_has_ended_is_not_begun_again_by_the_same_comment() {
    let (stage, node) = stage(Mode::Auto).await;
    let scope = pause_scope(Some(Sender::GitHub), Some("octo/shop"));
    // As where a node died after the pause: its work is listed still.
    stage.ledger.pause(&scope, "github:ann", "comment 1 on #7", 1).await.unwrap();
    stage.ledger.unpause(&scope, "bob", 2).await.unwrap();
    assert_eq!(stage.say("ann", 1, Command::Pause).await, "obeyed");
    assert!(stage.ledger.paused(&scope).await.unwrap().is_none());
    assert!(stage.answered().contains("goes on by now"), "{}", stage.answered());
    assert_eq!(stage.say("ann", 2, Command::Pause).await, "obeyed");
    assert!(stage.ledger.paused(&scope).await.unwrap().is_some());
    node.abort();
}

#[tokio::test]
async fn what_is_under_way_is_taken_back_by_a_comment() {
    let (stage, node) = stage(Mode::Auto).await;
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    assert_eq!(stage.say("ann", 1, Command::Rollback { incident: None }).await, "obeyed");
    let incident = stage.closed().await;
    assert_eq!((outcome(&incident).0, stage.host.cancels(RUN)), ("rolled-back", 1));
    let audit = stage.ledger.audit_of(&incident.id).await.unwrap();
    let said = audit.iter().find(|entry| entry.kind == "incident-commanded").unwrap();
    assert!(said.body.contains("github:ann") && said.body.contains("rollback"), "{}", said.body);
    assert_eq!(stage.say("ann", 2, Command::Rollback { incident: Some(incident.id) }).await, "obeyed");
    assert!(stage.answered().contains("is over"), "{}", stage.answered());
    assert_eq!(stage.host.cancels(RUN), 1);
    node.abort();
}

#[tokio::test]
async fn retry_looks_at_the_run_again_and_does_nothing_twice() {
    let (stage, node) = stage(Mode::Suggest).await;
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.closed().await;
    assert_eq!(stage.say("ann", 1, Command::Retry).await, "obeyed");
    assert!(stage.answered().contains("is looked at again"), "{}", stage.answered());
    let key = format!("github/run/octo/shop/{RUN}/latest/comment-1");
    let begun = Instant::now();
    while stage.ledger.outcome(&key).await.unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((stage.incidents().await.len(), stage.host.reruns(RUN)), (1, 0));
    let listed = stage.ledger.audit(0, 100).await.unwrap();
    let listed = listed.iter().find(|entry| entry.kind == "work-listed-by-hand").unwrap();
    assert!(listed.body.contains("github:ann"), "{}", listed.body);
    node.abort();
}

#[tokio::test]
async fn without_leave_of_the_operator_nothing_comes_of_a_comment() {
    let mut stage = Stage::new(Mode::Auto).await;
    stage.host.permit("ann", Permission::Admin);
    let event = Event::Comment(Comment {
        repository: octo(),
        comment: 1,
        about: Some(PULL),
        on_change: true,
        author: "ann".to_owned(),
        command: Command::Pause,
    });
    let (sender, name) = (Sender::GitHub, "issue_comment".to_owned());
    let told = |id: &str| NewDelivery {
        delivery: Delivery { sender, id: id.to_owned(), name: name.clone(), event: event.clone() },
        at: 1,
    };
    let inbox = LedgerInbox::new(stage.ledger.clone(), stage.bell.clone());
    inbox.receive(&[told("one")]).await.unwrap();
    assert_eq!(stage.ledger.waiting(&[], 10).await.unwrap().ready, 0);
    // A node that was not told so obeys nothing, whoever listed it.
    stage.config.comments = false;
    inbox.with_comments(true).receive(&[told("two")]).await.unwrap();
    let node = stage.start_one();
    let begun = Instant::now();
    while stage.ledger.outcome("github/comment/octo/shop/1").await.unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(5)).await;
    }
    assert!(
        stage.ledger.paused(&pause_scope(Some(Sender::GitHub), Some("octo/shop"))).await.unwrap().is_none()
    );
    assert!(stage.host.said(PULL).is_empty());
    node.abort();
}
