//! Whether this job looks at a pull request: from where its code comes, and whose history may be believed instead.
//!
//! Read from what the CI system says of itself, in the environment and in GitHub's event. What it doesn't say is taken
//! for the worse.

use std::{fs, io::Read};

use serde_json::Value;

use crate::workspace::Workspace;

/// A pull request (merge request, change).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Where it is to go.
    pub base: Base,
    /// Its code comes from another repository, or from nobody knows where.
    pub foreign: bool,
}

/// Where a pull request is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// This branch.
    Branch(String),
    /// The CI system doesn't say. The default branch is as much the repository's own.
    DefaultBranch,
    /// Nothing that may be believed.
    Unknown,
}

/// Names of the variables by which CI systems tell a pull request's base branch.
const BASE_BRANCH: [&str; 8] = [
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME",
    "CHANGE_TARGET",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "DRONE_TARGET_BRANCH",
];

/// Largest event that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// The pull request that this job looks at, `None` where it looks at none.
pub fn pull_request(ws: &Workspace) -> Option<PullRequest> {
    let named = BASE_BRANCH.iter().find_map(|name| ws.var(name)).or_else(|| travis(ws, "TRAVIS_BRANCH"));
    let named = named.map(|branch| Base::Branch(branch.to_owned()));
    let on_github = github(ws);
    let foreign = match &on_github {
        Some(pull_request) => pull_request.foreign,
        None => foreign_elsewhere(ws),
    };
    let base = match (named, on_github) {
        (Some(named), _) => named,
        (None, Some(pull_request)) => pull_request.base,
        (None, None)
            if ["CIRCLE_PULL_REQUEST", "CIRCLE_PULL_REQUESTS"].iter().any(|n| ws.var(n).is_some()) =>
        {
            Base::DefaultBranch
        }
        (None, None) if foreign => Base::Unknown,
        (None, None) => return None,
    };
    Some(PullRequest { base, foreign })
}

/// What GitHub's event says. Source: GitHub's manual, "Webhook events and payloads" and "Events that trigger workflows".
fn github(ws: &Workspace) -> Option<PullRequest> {
    let name = ws.var("GITHUB_EVENT_NAME")?;
    let event = event(ws).unwrap_or(Value::Null);
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let base = |pointer: &str| text(pointer).map_or(Base::Unknown, |b| Base::Branch(b.to_owned()));
    let foreign = |head: &str, own: &str| text(head).is_none() || text(head) != text(own);
    match name {
        "workflow_run" => {
            // It runs on the default branch, and its whole use is to fetch what the other run was about.
            let foreign = foreign("/workflow_run/head_repository/full_name", "/repository/full_name");
            let about = text("/workflow_run/event");
            if !foreign && about.is_some_and(|about| !speaks_of_pull_requests(about)) {
                return None;
            }
            Some(PullRequest { base: base("/workflow_run/pull_requests/0/base/ref"), foreign })
        }
        // A comment on a pull request says nothing about where its code comes from.
        "issue_comment" if event.get("issue").is_none_or(|issue| issue.get("pull_request").is_some()) => {
            Some(PullRequest { base: Base::Unknown, foreign: true })
        }
        "merge_group" => Some(PullRequest { base: base("/merge_group/base_ref"), foreign: false }),
        name if speaks_of_pull_requests(name) => Some(PullRequest {
            base: base("/pull_request/base/ref"),
            foreign: foreign("/pull_request/head/repo/full_name", "/pull_request/base/repo/full_name"),
        }),
        _ => None,
    }
}

/// `pull_request`, `pull_request_target`, `pull_request_review`, …
fn speaks_of_pull_requests(event: &str) -> bool {
    event.starts_with("pull_request")
}

fn foreign_elsewhere(ws: &Workspace) -> bool {
    let differ = |a: &str, b: &str| matches!((ws.var(a), ws.var(b)), (Some(a), Some(b)) if a != b);
    differ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "CI_MERGE_REQUEST_PROJECT_ID")
        || differ("CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY", "CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY")
        || (travis(ws, "TRAVIS_REPO_SLUG").is_some()
            && differ("TRAVIS_PULL_REQUEST_SLUG", "TRAVIS_REPO_SLUG"))
        || (ws.var("BUILDKITE_PULL_REQUEST").is_some_and(|v| v != "false")
            && differ("BUILDKITE_PULL_REQUEST_REPO", "BUILDKITE_REPO"))
        || ws.var("SYSTEM_PULLREQUEST_ISFORK").is_some_and(|v| v.eq_ignore_ascii_case("true"))
        || ws.var("CIRCLE_PR_USERNAME").is_some()
        || ws.var("CHANGE_FORK").is_some()
}

/// A variable of Travis, in a pull request's build only.
fn travis<'w>(ws: &'w Workspace, name: &str) -> Option<&'w str> {
    ws.var("TRAVIS_PULL_REQUEST").filter(|v| *v != "false").and_then(|_| ws.var(name))
}

fn event(ws: &Workspace) -> Option<Value> {
    let mut text = String::new();
    fs::File::open(ws.var("GITHUB_EVENT_PATH")?).ok()?.take(LARGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pull request as `base foreign`, for a job with these variables and this event.
    fn said(variables: &[(&str, &str)], event: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("event.json");
        fs::write(&file, event).unwrap();
        let mut ws = Workspace::new(folder.path().to_owned(), Default::default());
        ws.env.extend(variables.iter().map(|(name, value)| (name.into(), value.into())));
        if !event.is_empty() {
            ws.env.insert("GITHUB_EVENT_PATH".into(), file.into());
        }
        let Some(PullRequest { base, foreign }) = pull_request(&ws) else { return "none".to_owned() };
        let base = match base {
            Base::Branch(branch) => branch,
            Base::DefaultBranch => "default".to_owned(),
            Base::Unknown => "unknown".to_owned(),
        };
        format!("{base} {}", if foreign { "foreign" } else { "own" })
    }

    #[test]
    fn what_github_says() {
        let pull_request = |head: &str| {
            format!(
                r#"{{"pull_request":{{"head":{{"repo":{head}}},"base":{{"ref":"main","repo":{{"full_name":"o/r"}}}}}}}}"#
            )
        };
        let own = pull_request(r#"{"full_name":"o/r"}"#);
        let fork = pull_request(r#"{"full_name":"evil/r"}"#);
        let gone = pull_request("null");
        let run = |about: &str, head: &str, pull_requests: &str| {
            format!(
                r#"{{"workflow_run":{{"event":"{about}","head_repository":{head},"pull_requests":{pull_requests}}},"repository":{{"full_name":"o/r"}}}}"#
            )
        };
        let base = r#"[{"base":{"ref":"main"}}]"#;
        let (ours, theirs) = (r#"{"full_name":"o/r"}"#, r#"{"full_name":"evil/r"}"#);
        for (name, event, want) in [
            ("push", "{}".to_owned(), "none"),
            ("schedule", "{}".to_owned(), "none"),
            ("workflow_dispatch", "{}".to_owned(), "none"),
            ("pull_request", own.clone(), "main own"),
            ("pull_request", fork.clone(), "main foreign"),
            ("pull_request", gone, "main foreign"),
            ("pull_request", "{}".to_owned(), "unknown foreign"),
            ("pull_request", "no JSON".to_owned(), "unknown foreign"),
            ("pull_request", String::new(), "unknown foreign"),
            ("pull_request_target", own, "main own"),
            ("pull_request_target", fork.clone(), "main foreign"),
            ("pull_request_review", fork, "main foreign"),
            ("workflow_run", run("push", ours, "[]"), "none"),
            ("workflow_run", run("push", theirs, "[]"), "unknown foreign"),
            ("workflow_run", run("pull_request", ours, base), "main own"),
            ("workflow_run", run("pull_request", ours, "[]"), "unknown own"),
            ("workflow_run", run("pull_request", theirs, "[]"), "unknown foreign"),
            ("workflow_run", run("pull_request_target", theirs, base), "main foreign"),
            ("workflow_run", run("push", "null", "[]"), "unknown foreign"),
            ("workflow_run", String::new(), "unknown foreign"),
            ("issue_comment", r#"{"issue":{"number":1}}"#.to_owned(), "none"),
            ("issue_comment", r#"{"issue":{"pull_request":{"url":"x"}}}"#.to_owned(), "unknown foreign"),
            ("issue_comment", String::new(), "unknown foreign"),
            (
                "merge_group",
                r#"{"merge_group":{"base_ref":"refs/heads/main"}}"#.to_owned(),
                "refs/heads/main own",
            ),
        ] {
            assert_eq!(said(&[("GITHUB_EVENT_NAME", name)], &event), want, "{name}: {event}");
        }
        let both = [("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_BASE_REF", "next")];
        assert_eq!(said(&both, "{}"), "next foreign");
    }

    #[test]
    fn what_others_say() {
        for (variables, want) in [
            (&[][..], "none"),
            (&[("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")], "main own"),
            (
                &[
                    ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
                    ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "1"),
                    ("CI_MERGE_REQUEST_PROJECT_ID", "2"),
                ],
                "main foreign",
            ),
            (
                &[
                    ("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME", "main"),
                    ("CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY", "evil/r"),
                    ("CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY", "o/r"),
                ],
                "main foreign",
            ),
            (&[("CIRCLECI", "true"), ("CIRCLE_BRANCH", "main")], "none"),
            (&[("CIRCLE_PULL_REQUEST", "https://github.com/o/r/pull/1")], "default own"),
            (
                &[("CIRCLE_PULL_REQUEST", "https://github.com/o/r/pull/1"), ("CIRCLE_PR_USERNAME", "evil")],
                "default foreign",
            ),
            (&[("TRAVIS_PULL_REQUEST", "false"), ("TRAVIS_BRANCH", "main")], "none"),
            (&[("TRAVIS_PULL_REQUEST", "7"), ("TRAVIS_BRANCH", "main")], "main own"),
            (
                &[
                    ("TRAVIS_PULL_REQUEST", "7"),
                    ("TRAVIS_BRANCH", "main"),
                    ("TRAVIS_PULL_REQUEST_SLUG", "evil/r"),
                    ("TRAVIS_REPO_SLUG", "o/r"),
                ],
                "main foreign",
            ),
            (&[("CHANGE_TARGET", "main"), ("CHANGE_FORK", "evil")], "main foreign"),
            (&[("SYSTEM_PULLREQUEST_ISFORK", "True")], "unknown foreign"),
        ] {
            assert_eq!(said(variables, ""), want, "{variables:?}");
        }
    }
}
