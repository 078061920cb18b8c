//! What happens, one struct a kind: telling it is the only way to log it. Who listens masks and prints.

use std::fmt::Write as _;

use regreen_engine::OutageTold;
use regreen_forge::hook::{Rejected, Sender};

/// How much a happening matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Info,
    /// Somebody else's fault, or passing.
    Warning,
    /// A person should look.
    Error,
}

impl Level {
    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// A happening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// The server takes requests now.
    Listening {
        /// Where.
        address: String,
    },
    /// A delivery was made durable.
    HookAccepted {
        /// Who sent it.
        sender: Sender,
        /// The sender's id of it.
        delivery: String,
        /// The sender's name of the event.
        name: String,
        /// What kind of event it is.
        kind: &'static str,
        /// Why nothing comes of it, where that is so.
        why: Option<String>,
        /// Whether it was known already.
        duplicate: bool,
    },
    /// A request was answered with an error. Nothing of it was kept.
    HookRejected {
        /// To whose address it came.
        sender: Sender,
        /// Why.
        why: Refused,
    },
    /// What was proven could not be made durable; the sender was told to try again.
    HookUnavailable {
        /// Who sent it.
        sender: Sender,
        /// Why.
        why: String,
    },
    /// Nothing more is done about a run.
    RunSettled {
        /// Names the work.
        key: String,
        /// The incident, where there is one.
        incident: Option<String>,
        /// How it ended.
        outcome: &'static str,
        /// Why.
        why: String,
    },
    /// As much was asked of the host, on behalf of a repository or its organisation, as may be within an hour.
    CallsUsedUp {
        /// At which host.
        sender: Sender,
        /// The repository, or its organisation.
        whose: String,
        /// How many requests may be sent.
        most: u32,
    },
    /// A job that failed in a run that goes on was looked at.
    JobHeard {
        /// Names the work.
        key: String,
        /// What came of it.
        why: String,
    },
    /// What was old is gone.
    Pruned {
        /// Incidents.
        incidents: u64,
        /// What was needed for work that is done.
        work: u64,
        /// Logs.
        logs: u64,
    },
    /// A run has to wait.
    RunWaits {
        /// Names the work.
        key: String,
        /// For what.
        why: String,
    },
    /// A person's command was carried out, or could not be.
    CommandObeyed {
        /// Names the work.
        key: String,
        /// Whose.
        actor: String,
        /// Its word.
        command: &'static str,
        /// What was answered.
        said: String,
    },
    /// The person could not be told what came of a command. It is not carried out again for that; the answer is tried again
    /// where that may help.
    CommandUnanswered {
        /// Names the work.
        key: String,
        /// Whose.
        actor: String,
        /// Its word.
        command: &'static str,
        /// Why not.
        why: String,
    },
    /// Somebody commanded who may not. Nothing was done.
    CommandRefused {
        /// Names the work.
        key: String,
        /// Who.
        actor: String,
        /// Its word.
        command: &'static str,
        /// Why not.
        why: String,
    },
    /// A job told of an incident of its own.
    JobTold {
        /// Its id here.
        incident: String,
        /// How it ended.
        outcome: &'static str,
        /// Whether it was not on record yet.
        fresh: bool,
    },
    /// A job was not listened to.
    JobRefused {
        /// Why.
        why: String,
    },
    /// Somebody may not ask what they asked over HTTP.
    AccessRefused {
        /// Why.
        why: &'static str,
    },
    /// Several repositories can't use a service: what failed there waits until it is back.
    OutageBegan(OutageTold),
    /// It is back: what waited goes, one by one.
    OutageEnded(OutageTold),
    /// Failures were looked for that nobody told.
    Swept {
        /// Whose.
        repository: String,
        /// Failed runs.
        found: usize,
        /// Those that were not known.
        fresh: usize,
    },
    /// Work failed, and is tried again.
    WorkFailed {
        /// Names the work.
        key: String,
        /// Why.
        why: String,
    },
    /// Work failed too often, and is not tried again.
    WorkGivenUp {
        /// Names the work.
        key: String,
        /// Why it failed last.
        why: String,
    },
    /// Somebody else has the work now.
    LeaseLost {
        /// Names the work.
        key: String,
        /// Why.
        why: String,
    },
    /// The list of work, or a host, can't be asked now.
    WorkUnavailable {
        /// Why.
        why: String,
    },
    /// Where logs are kept outside the database they can't be now; nothing else waits for that. Told once until it goes well.
    LogsNotKept {
        /// Why.
        why: String,
    },
    /// The collector of the figures does not take them. Told once until it does.
    FiguresNotSent {
        /// Why.
        why: String,
    },
    /// Somebody was told, away from the CI host.
    NoticeSent {
        /// The sink's name.
        sink: String,
        /// Which notice.
        notice: String,
    },
    /// Somebody could not be told now; it is tried again.
    NoticeDelayed {
        /// The sink's name.
        sink: String,
        /// Which notice.
        notice: String,
        /// Why.
        why: String,
    },
    /// Somebody is not told.
    NoticeRefused {
        /// The sink's name.
        sink: String,
        /// Which notice.
        notice: String,
        /// Why.
        why: String,
    },
    /// The server stops: nothing new is taken.
    Draining,
    /// The server has stopped.
    Stopped {
        /// Requests that were cut off because they took too long.
        cut: usize,
    },
}

/// Why a request is answered with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// By what it says, or doesn't.
    Content(Rejected),
    /// Its body is larger than is taken.
    TooLarge,
    /// Its body did not come in time, or broke off.
    Incomplete,
    /// Too much is under way.
    Busy,
}

impl Refused {
    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Refused::Content(Rejected::Unproven) => "unproven",
            Refused::Content(Rejected::Header(_)) => "header",
            Refused::Content(Rejected::ContentType) => "content-type",
            Refused::Content(Rejected::Body) => "body",
            Refused::TooLarge => "too-large",
            Refused::Incomplete => "incomplete",
            Refused::Busy => "busy",
        }
    }
}

/// Listens to what happens.
pub trait Log: Send + Sync {
    /// Is told one happening.
    fn tell(&self, happening: &Happening);
}

impl Happening {
    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Happening::Listening { .. } => "listening",
            Happening::HookAccepted { .. } => "hook-accepted",
            Happening::HookRejected { .. } => "hook-rejected",
            Happening::HookUnavailable { .. } => "hook-unavailable",
            Happening::RunSettled { .. } => "run-settled",
            Happening::CallsUsedUp { .. } => "api-budget-used-up",
            Happening::JobHeard { .. } => "job-heard",
            Happening::Pruned { .. } => "ledger-pruned",
            Happening::RunWaits { .. } => "run-waits",
            Happening::CommandObeyed { .. } => "command-obeyed",
            Happening::CommandUnanswered { .. } => "command-unanswered",
            Happening::CommandRefused { .. } => "command-refused",
            Happening::JobTold { .. } => "job-told",
            Happening::JobRefused { .. } => "job-refused",
            Happening::AccessRefused { .. } => "access-refused",
            Happening::OutageBegan(_) => "outage-began",
            Happening::OutageEnded(_) => "outage-ended",
            Happening::Swept { .. } => "swept",
            Happening::WorkFailed { .. } => "work-failed",
            Happening::WorkGivenUp { .. } => "work-given-up",
            Happening::LeaseLost { .. } => "lease-lost",
            Happening::WorkUnavailable { .. } => "work-unavailable",
            Happening::LogsNotKept { .. } => "logs-not-kept",
            Happening::FiguresNotSent { .. } => "figures-not-sent",
            Happening::NoticeSent { .. } => "notice-sent",
            Happening::NoticeDelayed { .. } => "notice-delayed",
            Happening::NoticeRefused { .. } => "notice-refused",
            Happening::Draining => "draining",
            Happening::Stopped { .. } => "stopped",
        }
    }

    /// How much it matters.
    pub fn level(&self) -> Level {
        match self {
            Happening::HookRejected { .. }
            | Happening::CommandUnanswered { .. }
            | Happening::CommandRefused { .. }
            | Happening::AccessRefused { .. }
            | Happening::LeaseLost { .. }
            | Happening::NoticeDelayed { .. }
            | Happening::OutageBegan(_)
            | Happening::CallsUsedUp { .. }
            | Happening::Stopped { cut: 1.. } => Level::Warning,
            Happening::HookUnavailable { .. }
            | Happening::WorkFailed { .. }
            | Happening::WorkGivenUp { .. }
            | Happening::NoticeRefused { .. }
            | Happening::WorkUnavailable { .. }
            | Happening::FiguresNotSent { .. }
            | Happening::LogsNotKept { .. } => Level::Error,
            Happening::RunSettled { outcome: "stuck", .. } => Level::Error,
            _ => Level::Info,
        }
    }

    /// Its fields, in order.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Happening::Listening { address } => vec![("address", address.clone())],
            Happening::HookAccepted { sender, delivery, name, kind, why, duplicate } => {
                let mut fields = vec![
                    ("sender", sender.id().to_owned()),
                    ("delivery", delivery.clone()),
                    ("name", name.clone()),
                    ("kind", (*kind).to_owned()),
                    ("duplicate", duplicate.to_string()),
                ];
                fields.extend(why.clone().map(|why| ("why", why)));
                fields
            }
            Happening::HookRejected { sender, why } => {
                vec![("sender", sender.id().to_owned()), ("why", why.word().to_owned())]
            }
            Happening::HookUnavailable { sender, why } => {
                vec![("sender", sender.id().to_owned()), ("why", why.clone())]
            }
            Happening::RunSettled { key, incident, outcome, why } => {
                let mut fields = vec![("key", key.clone()), ("outcome", (*outcome).to_owned())];
                fields.extend(incident.clone().map(|incident| ("incident", incident)));
                fields.push(("why", why.clone()));
                fields
            }
            Happening::CallsUsedUp { sender, whose, most } => {
                vec![("sender", sender.id().to_owned()), ("whose", whose.clone()), ("most", most.to_string())]
            }
            Happening::Pruned { incidents, work, logs } => vec![
                ("incidents", incidents.to_string()),
                ("work", work.to_string()),
                ("logs", logs.to_string()),
            ],
            Happening::JobHeard { key, why }
            | Happening::RunWaits { key, why }
            | Happening::WorkFailed { key, why }
            | Happening::WorkGivenUp { key, why }
            | Happening::LeaseLost { key, why } => vec![("key", key.clone()), ("why", why.clone())],
            Happening::CommandObeyed { key, actor, command, said: words }
            | Happening::CommandUnanswered { key, actor, command, why: words }
            | Happening::CommandRefused { key, actor, command, why: words } => vec![
                ("key", key.clone()),
                ("actor", actor.clone()),
                ("command", (*command).to_owned()),
                ("why", words.clone()),
            ],
            Happening::OutageBegan(told) | Happening::OutageEnded(told) => vec![
                ("service", told.service.clone()),
                ("class", told.class.clone()),
                ("repositories", told.repositories.to_string()),
                ("runs", told.runs.to_string()),
                ("seconds", (told.lasts_ms / 1_000).to_string()),
            ],
            Happening::Swept { repository, found, fresh } => vec![
                ("repository", repository.clone()),
                ("found", found.to_string()),
                ("fresh", fresh.to_string()),
            ],
            Happening::JobTold { incident, outcome, fresh } => vec![
                ("incident", incident.clone()),
                ("outcome", (*outcome).to_owned()),
                ("fresh", fresh.to_string()),
            ],
            Happening::JobRefused { why }
            | Happening::FiguresNotSent { why }
            | Happening::WorkUnavailable { why }
            | Happening::LogsNotKept { why } => vec![("why", why.clone())],
            Happening::AccessRefused { why } => vec![("why", (*why).to_owned())],
            Happening::NoticeSent { sink, notice } => {
                vec![("sink", sink.clone()), ("notice", notice.clone())]
            }
            Happening::NoticeDelayed { sink, notice, why }
            | Happening::NoticeRefused { sink, notice, why } => {
                vec![("sink", sink.clone()), ("notice", notice.clone()), ("why", why.clone())]
            }
            Happening::Draining => Vec::new(),
            Happening::Stopped { cut } => vec![("cut", cut.to_string())],
        }
    }

    /// One line: `level=… event=… key=value …`; values with anything but plain letters are quoted as in JSON.
    pub fn line(&self) -> String {
        let mut line = format!("level={} event={}", self.level().word(), self.name());
        for (key, value) in self.fields() {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+".contains(c);
            if !value.is_empty() && value.chars().all(plain) {
                let _never = write!(line, " {key}={value}");
            } else {
                let _never = write!(line, " {key}={}", serde_json::Value::from(value));
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_happening_is_one_line_whatever_it_quotes() {
        let happening = Happening::HookAccepted {
            sender: Sender::GitHub,
            delivery: "72d3162e".to_owned(),
            name: "workflow_run".to_owned(),
            kind: "refused",
            why: Some("it does\nnot \"look\" right".to_owned()),
            duplicate: false,
        };
        assert_eq!(
            happening.line(),
            "level=info event=hook-accepted sender=github delivery=72d3162e name=workflow_run kind=refused \
             duplicate=false why=\"it does\\nnot \\\"look\\\" right\""
        );
    }
}
