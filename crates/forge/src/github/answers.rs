//! GitHub's answers, as far as they are used. Fields that its own examples lack are optional, whatever its schema says.

use serde::Deserialize;

use crate::{Conclusion, Level, Status, calls::at::At};

#[derive(Debug, Deserialize)]
pub(super) struct Installation {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct InstallationToken {
    pub(super) token: String,
    pub(super) expires_at: At,
}

#[derive(Debug, Deserialize)]
pub(super) struct App {
    pub(super) slug: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Permission {
    pub(super) permission: String,
    pub(super) user: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    pub(super) default_branch: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Runs {
    pub(super) total_count: u64,
    pub(super) workflow_runs: Vec<Run>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Run {
    pub(super) id: u64,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) path: String,
    pub(super) head_sha: String,
    pub(super) head_branch: Option<String>,
    pub(super) event: String,
    pub(super) run_attempt: Option<u32>,
    pub(super) status: Option<String>,
    pub(super) conclusion: Option<String>,
    pub(super) created_at: At,
    pub(super) run_started_at: Option<At>,
    pub(super) updated_at: Option<At>,
    pub(super) html_url: String,
    pub(super) repository: Option<Whose>,
    pub(super) head_repository: Option<Whose>,
    pub(super) pull_requests: Option<Vec<Numbered>>,
}

/// A repository that a run names.
#[derive(Debug, Deserialize)]
pub(super) struct Whose {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Numbered {
    pub(super) number: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Jobs {
    pub(super) jobs: Vec<Job>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) run_id: u64,
    pub(super) run_attempt: Option<u32>,
    pub(super) name: String,
    pub(super) head_sha: String,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    pub(super) started_at: Option<At>,
    pub(super) completed_at: Option<At>,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    pub(super) runner_name: Option<String>,
    pub(super) html_url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Annotation {
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) start_line: u64,
    pub(super) annotation_level: Option<String>,
    pub(super) title: Option<String>,
    pub(super) message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Caches {
    pub(super) actions_caches: Vec<Cache>,
}

/// What was deleted.
#[derive(Debug, Deserialize)]
pub(super) struct Deleted {
    pub(super) total_count: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cache {
    #[serde(default)]
    pub(super) id: u64,
    #[serde(default)]
    pub(super) key: String,
    #[serde(default, rename = "ref")]
    pub(super) reference: String,
    #[serde(default)]
    pub(super) size_in_bytes: u64,
    pub(super) created_at: Option<At>,
    pub(super) last_accessed_at: Option<At>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    pub(super) number: u64,
    pub(super) state: String,
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) html_url: String,
    pub(super) user: Option<User>,
    /// There where it is a pull request.
    pub(super) pull_request: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) html_url: String,
    pub(super) body: Option<String>,
    pub(super) user: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckRuns {
    pub(super) check_runs: Vec<CheckRun>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckRun {
    pub(super) id: u64,
    pub(super) external_id: Option<String>,
    pub(super) output: Option<CheckOutput>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckOutput {
    pub(super) summary: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pull {
    pub(super) number: u64,
    pub(super) html_url: String,
    pub(super) state: String,
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) merged_at: Option<String>,
    pub(super) head: Head,
}

#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub(super) sha: String,
}

/// A ref of git.
#[derive(Debug, Deserialize)]
pub(super) struct Ref {
    pub(super) object: Object,
}

/// A git object by its hash.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Object {
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) tree: Object,
}

/// What lies at a path: of a file that is not too large, its content in base64.
#[derive(Debug, Deserialize)]
#[serde(from = "TextOrList")]
pub(super) struct Text {
    pub(super) content: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrList {
    File {
        #[serde(default)]
        content: Option<String>,
    },
    Folder(serde::de::IgnoredAny),
}

impl From<TextOrList> for Text {
    fn from(there: TextOrList) -> Text {
        match there {
            TextOrList::File { content } => Text { content },
            TextOrList::Folder(_) => Text { content: None },
        }
    }
}

/// A file, or whatever else lies at a path.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    File { sha: String },
    Folder(serde::de::IgnoredAny),
}

#[derive(Debug, Deserialize)]
pub(super) struct Compared {
    pub(super) behind_by: u64,
    #[serde(default)]
    pub(super) files: Vec<ComparedFile>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ComparedFile {
    pub(super) filename: String,
}

/// GitHub's word for how far something is.
pub(super) fn status(word: &str) -> Status {
    match word {
        "queued" | "requested" | "pending" => Status::Queued,
        "in_progress" => Status::Running,
        "waiting" => Status::Waiting,
        "completed" => Status::Completed,
        _ => Status::Unknown,
    }
}

/// GitHub's word for how something ended.
pub(super) fn conclusion(word: &str) -> Conclusion {
    match word {
        "success" => Conclusion::Success,
        "failure" => Conclusion::Failure,
        "cancelled" => Conclusion::Cancelled,
        "timed_out" => Conclusion::TimedOut,
        "skipped" => Conclusion::Skipped,
        "neutral" => Conclusion::Neutral,
        "action_required" => Conclusion::ActionRequired,
        "startup_failure" => Conclusion::StartupFailure,
        "stale" => Conclusion::Stale,
        _ => Conclusion::Unknown,
    }
}

/// GitHub's word for how grave an annotation is.
pub(super) fn level(word: Option<&str>) -> Level {
    match word {
        Some("failure") => Level::Failure,
        Some("warning") => Level::Warning,
        _ => Level::Notice,
    }
}
