//! What is to be done, as it lies in the ledger: a small versioned document, and the key that names the effect.

use regreen_engine::{ESCALATION, EndedRun, OUTAGE, TOLD, Telling, escalation_of, outage_of};
use regreen_forge::{
    Conclusion, Repository, RunRef,
    hook::{Command, Comment, Event, JobEnded, RunEnded, Sender},
};
use regreen_ledger::NewWork;
use serde::{Deserialize, Serialize};

use crate::{asked::Asked, reply::Reply};

/// Kind of work: a run has ended.
pub(crate) const RUN: &str = "run-ended";
/// Kind of work: a person commands.
pub(crate) const COMMAND: &str = "command";
/// Kind of work: a command was carried out, and its author is still to be told.
pub(crate) const ANSWER: &str = "answer";
/// Kind of work: look for failures that nobody told.
pub(crate) const SWEEP: &str = "sweep";

/// Kind of work: a person asks for something over HTTP.
pub(crate) const ASKED: &str = "asked";
/// Kind of work: a job has failed in a run that may go on.
pub(crate) const JOB: &str = "job-ended";
/// Kind of work: what is old goes.
pub(crate) const PRUNE: &str = "prune";
/// Kind of work: a run ended well, and something that was escalated may be well again.
pub(crate) const GREEN: &str = "green";

/// Names the attempt in a key where nobody said which it is.
const LATEST: &str = "latest";

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// A run is said to have ended.
    Run {
        /// At which host.
        sender: Sender,
        /// Which.
        ended: EndedRun,
    },
    /// A job has failed in a run that may go on: the run is looked at once for all of them, each attempt that is told.
    Job {
        /// At which host.
        sender: Sender,
        /// The run as far as it is known.
        of: EndedRun,
    },
    /// A person commands, by a comment.
    Command {
        /// At which host.
        sender: Sender,
        /// What was said.
        spoken: Spoken,
    },
    /// What came of a command is still to be said.
    Answer {
        /// At which host.
        sender: Sender,
        /// What, and to which.
        reply: Reply,
    },
    /// A person asks for something over HTTP, and has shown that they may.
    Asked {
        /// At which host.
        sender: Sender,
        /// What is asked.
        asked: Asked,
    },
    /// Failures of a repository are looked for that no hook told.
    Sweep {
        /// At which host.
        sender: Sender,
        /// Whose.
        repository: Repository,
        /// Names the time, so that it is done once for all nodes.
        slot: i64,
    },
    /// A service is down, and is looked after. The engine lists that by itself.
    Outage {
        /// Which outage.
        id: String,
    },
    /// An issue is kept up to date. The engine lists that by itself.
    Issue {
        /// At which host.
        sender: Sender,
        /// Which escalation.
        id: String,
    },
    /// What is old goes.
    Prune {
        /// Names the day, so that it is done once for all nodes.
        day: i64,
        /// What was over for so many days goes.
        keep_days: u32,
    },
    /// People are told where they work. The engine lists that by itself.
    Told(Telling),
    /// A run ended well, of a repository in which something was escalated.
    Green {
        /// At which host.
        sender: Sender,
        /// Which.
        ended: EndedRun,
    },
}

/// A command in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// Where.
    pub repository: Repository,
    /// The host's id of the comment.
    pub comment: u64,
    /// When it came in, in milliseconds since 1970.
    pub at: i64,
    /// The number of the issue or pull request that it is about.
    pub about: Option<u64>,
    /// As [`Comment::on_change`].
    pub on_change: bool,
    /// Whose it is.
    pub author: String,
    /// What is wanted.
    pub command: Command,
}

/// A command as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpokenV1 {
    comment: u64,
    at: i64,
    about: Option<u64>,
    author: String,
    word: String,
    incident: Option<String>,
    /// On an issue, where those have numbers of their own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    on_issue: bool,
}

/// What is old goes, as it is stored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PruneV1 {
    version: u32,
    day: i64,
    keep_days: u32,
}

/// The stored document. Fields may be added, never changed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskV1 {
    version: u32,
    sender: String,
    repository: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slot: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spoken: Option<SpokenV1>,
}

impl TaskV1 {
    fn new(sender: Sender, repository: &Repository) -> TaskV1 {
        TaskV1 {
            version: 1,
            sender: sender.id().to_owned(),
            repository: repository.as_str().to_owned(),
            run: None,
            attempt: None,
            slot: None,
            spoken: None,
        }
    }
}

/// A task ready to be put on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    kind: &'static str,
    key: String,
    payload: String,
    at: i64,
}

impl Listed {
    /// As the ledger takes it.
    pub fn work(&self) -> NewWork<'_> {
        NewWork {
            kind: self.kind,
            key: &self.key,
            payload: &self.payload,
            created_at: self.at,
            due_at: self.at,
        }
    }

    /// Names the effect.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What the keys of all work about the same run begin with, whoever listed it and whichever attempt it names.
    pub fn of_run(&self) -> String {
        let rest = self.key.rfind('/').unwrap_or_default();
        self.key[..=rest].to_owned()
    }

    /// The same, put on the list by something that has this name.
    #[must_use]
    pub fn named(mut self, by: &str) -> Listed {
        self.key = format!("{}/{by}", self.key);
        self
    }

    /// Makes it another piece of work than the end of the same run at another time, where the host counts no attempts.
    #[must_use]
    pub fn of_end(mut self, event: &Event) -> Listed {
        if let Event::RunEnded(RunEnded { ended_at, .. }) = event
            && self.key.ends_with(LATEST)
        {
            // One that is not dated may be any.
            let when = ended_at.clone().unwrap_or_else(|| self.at.to_string());
            let plain = |c: char| if c.is_ascii_alphanumeric() || "-:.+".contains(c) { c } else { '_' };
            self.key = format!("{}/{}", self.key, when.chars().map(plain).collect::<String>());
        }
        self
    }

    /// Makes it another piece of work than the one that anybody else would list.
    #[must_use]
    pub fn once_more(mut self, by: &str) -> Listed {
        self.key = format!("{}/{by}/{}", self.key, self.at);
        self
    }
}

impl Task {
    /// What is to be done about an event that came in at `at`, in milliseconds since 1970; `None` for nothing. Of a first attempt that went well nobody waits; of one that
    /// is not numbered somebody may.
    pub fn of(sender: Sender, event: &Event, at: i64) -> Option<Task> {
        if let Event::Comment(Comment { repository, comment, about, on_change, author, command }) = event {
            let (repository, author, command) = (repository.clone(), author.clone(), command.clone());
            let (comment, about, on_change) = (*comment, *about, *on_change);
            let spoken = Spoken { repository, comment, at, about, on_change, author, command };
            return Some(Task::Command { sender, spoken });
        }
        if let Event::JobEnded(JobEnded { repository, run, attempt, conclusion, .. }) = event {
            let run = RunRef { repository: repository.clone(), run_id: *run };
            let of = EndedRun { run, attempt: *attempt };
            return conclusion.failed().then_some(Task::Job { sender, of });
        }
        let Event::RunEnded(RunEnded { repository, run, attempt, conclusion, .. }) = event else {
            return None;
        };
        let nothing_to_do = !conclusion.failed() && attempt.is_some_and(|attempt| attempt <= 1);
        if nothing_to_do || *conclusion == Conclusion::Skipped {
            return None;
        }
        let run = RunRef { repository: repository.clone(), run_id: *run };
        Some(Task::Run { sender, ended: EndedRun { run, attempt: *attempt } })
    }

    /// The end of a run that went well; `None` for every other event.
    pub fn green(sender: Sender, event: &Event) -> Option<Task> {
        let Event::RunEnded(RunEnded { repository, run, attempt, conclusion: Conclusion::Success, .. }) =
            event
        else {
            return None;
        };
        let run = RunRef { repository: repository.clone(), run_id: *run };
        // GitLab numbers no attempts: that it is the first is what it looks like.
        let attempt = attempt.filter(|_| sender == Sender::GitHub);
        Some(Task::Green { sender, ended: EndedRun { run, attempt } })
    }

    /// Ready to be listed at `at`, in milliseconds since 1970.
    pub fn listed(&self, at: i64) -> Listed {
        let (kind, key, document) = match self {
            Task::Run { sender, ended: EndedRun { run, attempt } }
            | Task::Job { sender, of: EndedRun { run, attempt } }
            | Task::Green { sender, ended: EndedRun { run, attempt } } => {
                let which = attempt.map_or_else(|| LATEST.to_owned(), |attempt| attempt.to_string());
                let (kind, what) = match self {
                    Task::Green { .. } => (GREEN, "green"),
                    Task::Job { .. } => (JOB, "job"),
                    _ => (RUN, "run"),
                };
                let key =
                    format!("{}/{what}/{}/{}/{which}", sender.id(), run.repository.folded(), run.run_id);
                let new = TaskV1::new(*sender, &run.repository);
                (kind, key, TaskV1 { run: Some(run.run_id), attempt: *attempt, ..new })
            }
            Task::Command { sender, spoken } => {
                let key =
                    format!("{}/comment/{}/{}", sender.id(), spoken.repository.folded(), spoken.comment);
                let document = TaskV1 {
                    spoken: Some(SpokenV1 {
                        comment: spoken.comment,
                        at: spoken.at,
                        about: spoken.about,
                        author: spoken.author.clone(),
                        word: spoken.command.word().to_owned(),
                        incident: spoken.command.incident().map(str::to_owned),
                        on_issue: !spoken.on_change,
                    }),
                    ..TaskV1::new(*sender, &spoken.repository)
                };
                (COMMAND, key, document)
            }
            Task::Answer { sender, reply } => {
                let (key, payload) = (reply.key(*sender), reply.stored(*sender));
                return Listed { kind: ANSWER, key, payload, at };
            }
            Task::Asked { sender, asked } => {
                let (key, payload) = (asked.key(*sender), asked.stored(*sender));
                return Listed { kind: ASKED, key, payload, at };
            }
            Task::Sweep { sender, repository, slot } => {
                let key = format!("{}/sweep/{}/{slot}", sender.id(), repository.folded());
                (SWEEP, key, TaskV1 { slot: Some(*slot), ..TaskV1::new(*sender, repository) })
            }
            Task::Outage { id } => {
                let payload = serde_json::json!({ "version": 1, "outage": id }).to_string();
                return Listed { kind: OUTAGE, key: format!("outage/{id}"), payload, at };
            }
            Task::Prune { day, keep_days } => {
                let payload = serde_json::json!({ "version": 1, "day": day, "keep_days": keep_days });
                let payload = payload.to_string();
                return Listed { kind: PRUNE, key: format!("prune/{day}"), payload, at };
            }
            Task::Told(telling) => {
                return Listed { kind: TOLD, key: telling.key(), payload: telling.payload(), at };
            }
            Task::Issue { sender, id } => {
                let document = serde_json::json!({ "version": 1, "forge": sender.id(), "escalation": id });
                return Listed {
                    kind: ESCALATION,
                    key: format!("escalation/{id}"),
                    payload: document.to_string(),
                    at,
                };
            }
        };
        let payload = serde_json::to_string(&document).unwrap_or_default();
        Listed { kind, key, payload, at }
    }

    /// What was listed; `None` where this version can't read it.
    pub fn read(kind: &str, payload: &str) -> Option<Task> {
        if kind == PRUNE {
            let PruneV1 { version, day, keep_days } = serde_json::from_str(payload).ok()?;
            return (version == 1).then_some(Task::Prune { day, keep_days });
        }
        if kind == OUTAGE {
            return outage_of(payload).map(|id| Task::Outage { id });
        }
        if kind == ESCALATION {
            let (forge, id) = escalation_of(payload)?;
            return Some(Task::Issue { sender: Sender::parse(&forge)?, id });
        }
        if kind == TOLD {
            return Telling::read(payload).map(Task::Told);
        }
        if kind == ASKED {
            return Asked::read(payload).map(|(sender, asked)| Task::Asked { sender, asked });
        }
        if kind == ANSWER {
            return Reply::read(payload).map(|(sender, reply)| Task::Answer { sender, reply });
        }
        let TaskV1 { version, sender, repository, run, attempt, slot, spoken } =
            serde_json::from_str(payload).ok()?;
        let (sender, repository) = (Sender::parse(&sender)?, Repository::parse(&repository)?);
        match (version, kind) {
            (1, RUN | GREEN | JOB) => {
                let ended = EndedRun { run: RunRef { repository, run_id: run? }, attempt };
                Some(match kind {
                    RUN => Task::Run { sender, ended },
                    JOB => Task::Job { sender, of: ended },
                    _ => Task::Green { sender, ended },
                })
            }
            (1, COMMAND) => {
                let SpokenV1 { comment, at, about, author, word, incident, on_issue } = spoken?;
                let command = Command::from_words(&word, incident)?;
                let on_change = !on_issue;
                let spoken = Spoken { repository, comment, at, about, on_change, author, command };
                Some(Task::Command { sender, spoken })
            }
            (1, SWEEP) => Some(Task::Sweep { sender, repository, slot: slot? }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use regreen_engine::{Answer, Spot};

    use super::*;
    use crate::asked::Wanted;

    #[test]
    fn a_task_is_read_as_it_was_listed() {
        let repository = Repository::parse("octo/shop").unwrap();
        let run = RunRef { repository: repository.clone(), run_id: 7 };
        let ended = EndedRun { run, attempt: Some(2) };
        let spoken = Spoken {
            repository: repository.clone(),
            comment: 9,
            at: 5,
            about: Some(4),
            on_change: true,
            author: "ann".to_owned(),
            command: Command::Approve { incident: Some("4d-1-0a1b2c3d".to_owned()) },
        };
        let answer =
            Answer { repository: repository.clone(), about: 4, on_change: false, text: "so".to_owned() };
        let reply = Reply { comment: 9, since: 5, answer };
        let asked = Asked {
            repository: repository.clone(),
            incident: "4d-1-0a1b2c3d".to_owned(),
            actor: "token:ann".to_owned(),
            at: 6,
            wanted: Wanted::Rollback,
        };
        let (sender, about, spot) = (Sender::GitHub, "4d-1-0a1b2c3d".to_owned(), Spot::CheckRun);
        let telling = Telling { sender, about, spot };
        for (task, key) in [
            (Task::Asked { sender: Sender::GitHub, asked }, "github/asked/4d-1-0a1b2c3d/rollback/6"),
            (Task::Command { sender: Sender::GitHub, spoken }, "github/comment/octo/shop/9"),
            (Task::Answer { sender: Sender::GitLab, reply }, "gitlab/answer/octo/shop/9"),
            (Task::Run { sender: Sender::GitHub, ended: ended.clone() }, "github/run/octo/shop/7/2"),
            (Task::Green { sender: Sender::GitHub, ended: ended.clone() }, "github/green/octo/shop/7/2"),
            (Task::Job { sender: Sender::GitHub, of: ended }, "github/job/octo/shop/7/2"),
            (Task::Issue { sender: Sender::GitLab, id: "0a".to_owned() }, "escalation/0a"),
            (Task::Told(telling), "github/told/4d-1-0a1b2c3d/check-run"),
            (Task::Sweep { sender: Sender::GitHub, repository, slot: 3 }, "github/sweep/octo/shop/3"),
            (Task::Outage { id: "0a1b".to_owned() }, "outage/0a1b"),
            (Task::Prune { day: 20_000, keep_days: 90 }, "prune/20000"),
        ] {
            let listed = task.listed(1_000);
            assert_eq!(listed.key(), key);
            assert_eq!(Task::read(listed.kind, &listed.payload), Some(task));
        }
        assert_eq!(Task::read(RUN, "{\"version\":2}"), None);
    }
}
