//! The answers, each by the code that answers on the command line.

use std::{
    fs::{self, File},
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
};

use regreen_detect::{Baseline, Detector};
use regreen_domain::{FailureClass, Outcome};
use regreen_ledger::State;
use regreen_server::shape::{IncidentV1, Whole, timeline};
use regreen_show::{harmless::harmless, json};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::tools::UNTRUSTED;
use crate::{
    args::{ApproveArgs, DenyArgs, FeedbackArgs, Format, IncidentFilters, WhichLedger, WhichPatterns},
    commands::{approve, diagnose, explain, feedback, incidents},
    context::Context,
    custom::Known,
    exit::{Failed, NOTHING_TO_READ, REFUSED, USAGE},
    inputs, output,
    record::{self, actor},
};

/// So many logs of one archive are diagnosed.
const MOST_LOGS: usize = 20;
/// So many incidents are listed at once.
const MOST_INCIDENTS: u32 = 100;

/// What there is to answer from.
pub struct Answers {
    context: Context,
    known: Known,
    /// Where somebody's own patterns are, for what is looked up anew.
    which: WhichPatterns,
    /// Folders whose logs may be read.
    readable: Vec<PathBuf>,
    /// Whether agents may act.
    pub acting: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    text: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    class: Option<String>,
    outcome: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    incident: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Denied {
    incident: String,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    incident: String,
    class: String,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

impl Answers {
    /// Answers from the folder in which it was started, and from the logs below `folders`.
    ///
    /// # Errors
    /// Where one of the folders can't be used.
    pub fn new(
        context: Context,
        known: Known,
        which: WhichPatterns,
        folders: &[PathBuf],
        acting: bool,
    ) -> Result<Self, Failed> {
        let mut readable = vec![context.workspace()?.root];
        for folder in folders {
            let found = folder.canonicalize().map_err(|e| {
                Failed::new(NOTHING_TO_READ, format!("--logs {}: {e}", folder.display()))
                    .help("name a folder that is there")
            })?;
            readable.push(found);
        }
        Ok(Answers { context, known, which, readable, acting })
    }

    /// What `tool` says to `arguments`.
    ///
    /// # Errors
    /// What is wrong with the question, or why there is no answer, as on the command line.
    pub async fn answer(&self, tool: &str, arguments: Value) -> Result<Value, Failed> {
        match tool {
            "diagnose_log" => self.diagnose(&parsed(arguments)?),
            "list_incidents" => self.list(&parsed(arguments)?).await,
            "show_incident" => self.show(&parsed(arguments)?).await,
            "explain_decision" => self.decision(&parsed(arguments)?).await,
            "explain" => {
                let Code { code } = parsed(arguments)?;
                let says = explain::said(&self.known.catalog, &code)?;
                Ok(json!({"version": 1, "note": UNTRUSTED, "code": code, "says": says}))
            }
            "approve_incident" => {
                let One { incident } = parsed(arguments)?;
                let args = ApproveArgs { incident, at: WhichLedger::default() };
                done(approve::approved(&self.context, &args, &by_mcp()).await)
            }
            "deny_incident" => {
                let Denied { incident, reason } = parsed(arguments)?;
                let args = DenyArgs { incident, reason, at: WhichLedger::default() };
                done(approve::denied(&self.context, &args, &by_mcp()).await)
            }
            "give_feedback" => {
                let Label { incident, class, note } = parsed(arguments)?;
                let class = known_class(&class)?;
                let args = FeedbackArgs { incident, class, note, at: WhichLedger::default() };
                done(feedback::noted(&self.context, &args, &by_mcp()).await)
            }
            other => Err(Failed::new(USAGE, format!("there is no tool `{other}`"))),
        }
    }

    fn diagnose(&self, log: &Log) -> Result<Value, Failed> {
        let masker = self.context.masker();
        let detector = Detector::new(&self.known.catalog);
        let baseline = Baseline::new(&masker);
        let (mut diagnoses, mut unreadable, mut omitted) = (Vec::new(), Vec::new(), 0);
        let mut each = |name: String, log: Result<regreen_logs::Log<'static>, regreen_logs::ReadError>| {
            if diagnoses.len() + unreadable.len() == MOST_LOGS {
                omitted += 1;
                return;
            }
            match log {
                Err(e) => unreadable.push(format!("{name}: {}", diagnose::cause_of(&e))),
                Ok(log) => {
                    let of = diagnose::about(&detector, &self.known.catalog, &baseline, &masker, &name, &log);
                    diagnoses.push(value(&json::diagnosis(&of, &self.known.warnings)));
                }
            }
        };
        match (&log.text, &log.path) {
            (Some(text), None) => inputs::text("text", text, &mut each),
            (None, Some(path)) => {
                let (path, file) = self.admitted(path)?;
                inputs::opened(path.display().to_string(), file, &mut each);
            }
            _ => return Err(Failed::new(USAGE, "give either `text` or `path`, and not both")),
        }
        if diagnoses.is_empty() {
            return Err(Failed::new(NOTHING_TO_READ, unreadable.join("\n")));
        }
        Ok(json!({
            "version": 1, "note": UNTRUSTED, "diagnoses": diagnoses, "unreadable": unreadable, "omitted": omitted,
        }))
    }

    /// The file that an agent names, if it lies where logs may be read, whatever links lead there.
    fn admitted(&self, typed: &str) -> Result<(PathBuf, File), Failed> {
        let unread = |e: std::io::Error| Failed::new(NOTHING_TO_READ, format!("{typed}: {e}"));
        let path = self.readable[0].join(Path::new(typed)).canonicalize().map_err(unread)?;
        let lies_within = |path: &Path| match self.readable.iter().any(|folder| path.starts_with(folder)) {
            true => Ok(()),
            false => {
                let what = format!("{typed} lies outside of the folders whose logs may be read");
                let help =
                    "give the log's text, or have `regreen mcp` started in its folder or with --logs DIR";
                Err(Failed::new(REFUSED, what).help(help))
            }
        };
        lies_within(&path)?;
        // Before it is opened, which would wait for whoever writes into a pipe.
        if !fs::metadata(&path).map_err(unread)?.is_file() {
            return Err(Failed::new(NOTHING_TO_READ, format!("{typed} is no file")));
        }
        let file = File::open(&path).map_err(unread)?;
        // A link may have been put in its way meanwhile: where the system says what is open, that counts.
        if let Ok(open) = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())) {
            lies_within(&open)?;
        }
        Ok((path, file))
    }

    async fn list(&self, which: &Which) -> Result<Value, Failed> {
        let class = which.class.as_deref().map(known_class).transpose()?;
        let still = |outcome: &str| ["open", "approved"].contains(&outcome);
        if let Some(outcome) = which.outcome.as_deref().filter(|o| !still(o) && Outcome::parse(o).is_none()) {
            let known: Vec<&str> = Outcome::ALL.map(Outcome::id).to_vec();
            let what =
                format!("there is no outcome `{outcome}`; there are open, approved, {}", known.join(", "));
            return Err(Failed::new(USAGE, what));
        }
        let limit = which.limit.unwrap_or(20).clamp(1, MOST_INCIDENTS);
        let filters = IncidentFilters {
            class,
            outcome: which.outcome.clone(),
            limit,
            format: Format::Json,
            at: WhichLedger::default(),
        };
        let incidents = match record::read(&self.context).await? {
            Some(ledger) => ledger.incidents(&incidents::list::filter(&filters)).await?,
            None => Vec::new(),
        };
        let waiting = incidents.iter().filter(|i| i.state == State::AwaitingApproval).count();
        let shapes: Vec<IncidentV1> = incidents.iter().map(IncidentV1::of).collect();
        Ok(json!({"version": 1, "note": UNTRUSTED, "waiting_for_approval": waiting, "incidents": shapes}))
    }

    async fn show(&self, one: &One) -> Result<Value, Failed> {
        let id = one.incident.as_str();
        let (ledger, incident) = record::one(&self.context, id).await?;
        let facts = ledger.facts(id).await?;
        let feedback = ledger.feedback_of(id).await?;
        let timeline = timeline(id, &ledger.audit_of(id).await?, &facts);
        let whole = Whole { incident: &incident, timeline: &timeline, feedback: &feedback };
        Ok(json!({"version": 1, "note": UNTRUSTED, "incident": IncidentV1::whole(&whole)}))
    }

    async fn decision(&self, one: &One) -> Result<Value, Failed> {
        let (_, incident) = record::one(&self.context, &one.incident).await?;
        let (replayed, known) = incidents::replay::again(&self.context, &self.which, &one.incident).await?;
        let because = replayed.recorded.because.as_deref();
        let meaning = because.map(|code| explain::said(&self.known.catalog, code)).transpose()?;
        let decision = value(&output::replay::json(&one.incident, &replayed, &known.catalog));
        Ok(json!({
            "version": 1, "note": UNTRUSTED, "decision": decision, "because_means": meaning,
            "class": incident.diagnosis.class, "why": incident.diagnosis.reason,
        }))
    }

    /// Text from outside, masked and harmless, line by line.
    pub fn harmless_text(&self, text: &str) -> String {
        let masker = self.context.masker();
        masker.mask(text).split('\n').map(harmless).collect::<Vec<_>>().join("\n")
    }

    /// A value with every text in it masked and harmless.
    pub fn harmless(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.harmless_text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.harmless(item)).collect(),
            Value::Object(fields) => {
                fields.into_iter().map(|(name, field)| (name, self.harmless(field))).collect()
            }
            plain => plain,
        }
    }
}

/// Whose word it is: the user's who started the server, said by an agent.
fn by_mcp() -> String {
    format!("mcp:{}", actor())
}

fn done(said: Result<String, Failed>) -> Result<Value, Failed> {
    Ok(json!({"version": 1, "done": said?.trim_end()}))
}

fn parsed<T: DeserializeOwned>(arguments: Value) -> Result<T, Failed> {
    serde_json::from_value(arguments).map_err(|e| Failed::new(USAGE, format!("the arguments: {e}")))
}

fn known_class(id: &str) -> Result<FailureClass, Failed> {
    FailureClass::parse(id).ok_or_else(|| {
        let known: Vec<&str> = FailureClass::ALL.iter().map(|class| class.id()).collect();
        Failed::new(USAGE, format!("there is no class `{id}`; there are {}", known.join(", ")))
    })
}

/// A line of JSON as the value that it is.
fn value(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_default()
}
