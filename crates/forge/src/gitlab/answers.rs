//! GitLab's answers, as far as they are used. What older installations lack is optional.

use serde::Deserialize;

use crate::calls::at::At;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct User {
    pub(super) username: String,
}

/// An account.
#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub(super) id: u64,
    username: String,
    #[serde(default)]
    pub(super) state: String,
    /// Told of one account, and not in lists.
    #[serde(default)]
    pub(super) bot: bool,
}

impl Account {
    /// Names have no case.
    pub(super) fn is(&self, login: &str) -> bool {
        self.username.eq_ignore_ascii_case(login)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub(super) username: String,
    /// The account's.
    #[serde(default)]
    pub(super) state: String,
    pub(super) access_level: u64,
    pub(super) expires_at: Option<String>,
}

/// What a project shows to whom.
#[derive(Debug, Deserialize)]
pub(super) struct Visible {
    visibility: Option<String>,
    #[serde(default)]
    public_jobs: bool,
    builds_access_level: Option<String>,
}

impl Visible {
    /// Whether everybody, or each of its members, may look at its pipelines and their logs.
    pub(super) fn shows_pipelines(&self, to_members: bool) -> bool {
        let access = self.builds_access_level.as_deref().unwrap_or("enabled");
        let to_all = self.visibility.as_deref() == Some("public") && access == "enabled";
        self.public_jobs && (to_all || (to_members && access != "disabled"))
    }
}

/// A pipeline, as a merge request lists it.
#[derive(Debug, Deserialize)]
pub(super) struct OfRequest {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Project {
    /// Nothing while its repository is empty.
    pub(super) default_branch: Option<String>,
    pub(super) ci_config_path: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pipeline {
    pub(super) id: u64,
    pub(super) sha: String,
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) status: String,
    pub(super) source: Option<String>,
    pub(super) name: Option<String>,
    pub(super) created_at: At,
    pub(super) started_at: Option<At>,
    pub(super) updated_at: Option<At>,
    pub(super) yaml_errors: Option<String>,
    #[serde(default)]
    pub(super) web_url: String,
}

/// A job, or a trigger job (bridge).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) stage: Option<String>,
    pub(super) status: String,
    #[serde(default)]
    pub(super) allow_failure: bool,
    pub(super) failure_reason: Option<String>,
    pub(super) created_at: At,
    pub(super) started_at: Option<At>,
    pub(super) finished_at: Option<At>,
    pub(super) pipeline: OfPipeline,
    #[serde(default)]
    pub(super) tag_list: Vec<String>,
    pub(super) runner: Option<Runner>,
    pub(super) user: Option<User>,
    #[serde(default)]
    pub(super) web_url: String,
}

/// The pipeline that a job names.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct OfPipeline {
    pub(super) id: u64,
    pub(super) sha: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Runner {
    pub(super) description: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    pub(super) iid: u64,
    pub(super) state: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) web_url: String,
    pub(super) author: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    pub(super) body: Option<String>,
    pub(super) author: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CommitStatus {
    pub(super) id: u64,
    pub(super) status: String,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) author: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MergeRequest {
    pub(super) iid: u64,
    pub(super) state: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) web_url: String,
    pub(super) sha: Option<String>,
    pub(super) source_project_id: Option<u64>,
    pub(super) target_project_id: Option<u64>,
}

impl MergeRequest {
    /// Whether its source is the project itself.
    pub(super) fn is_own(&self) -> bool {
        self.source_project_id.is_some() && self.source_project_id == self.target_project_id
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Branch {
    pub(super) commit: Commit,
}

#[derive(Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Text {
    pub(super) content: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) blob_id: String,
    pub(super) last_commit_id: Option<String>,
}
