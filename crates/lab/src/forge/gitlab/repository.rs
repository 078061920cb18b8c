//! Branches, files, commits and merge requests.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    World,
    route::{not_found, says},
    shown,
    world::Project,
};
use crate::forge::{
    git::{Git, hash},
    route::{Asked, Reply},
};

/// A merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequest {
    /// Its number in its project.
    pub iid: u64,
    /// The project that it comes from.
    pub source_project: u64,
    /// Its branch.
    pub source: String,
    /// Where it is to go.
    pub target: String,
    /// `opened`, `closed`, `merged`.
    pub state: String,
    /// The commit at the end of its branch when it was closed.
    pub closed_at: Option<String>,
    /// Its title.
    pub title: String,
    /// Its text.
    pub description: String,
}

pub(super) fn answer(world: &mut World, path: &str, asked: &Asked, rest: &[&str]) -> Reply {
    let shown_as = world.shown_as.clone();
    let Some(project) = world.projects.get_mut(path) else { return not_found("Project") };
    let list = |listed: Vec<Value>| asked.page_at(&shown_as, listed, |_, page| Value::Array(page));
    match (asked.method.as_str(), rest) {
        ("GET", ["repository", "branches", name]) => match project.git.refs.get(*name) {
            Some(sha) => {
                let commit = json!({ "id": sha, "short_id": sha.get(..8), "title": "x" });
                Reply::json(
                    200,
                    json!({ "name": name, "merged": false, "protected": false, "commit": commit }),
                )
            }
            None => not_found("Branch"),
        },
        ("GET", ["repository", "files", file]) => {
            let at = asked.query("ref").filter(|at| *at != "HEAD").unwrap_or("main");
            let Some(content) = project.git.file(at, file) else { return not_found("File") };
            let commit = project.git.refs.get(at).cloned().unwrap_or_else(|| at.to_owned());
            Reply::json(
                200,
                json!({
                    "file_name": file.rsplit('/').next(), "file_path": file, "size": content.len(), "encoding": "base64",
                    "ref": at, "blob_id": hash("blob", &content), "commit_id": commit,
                    "last_commit_id": last_change(&project.git, &commit, file), "execute_filemode": false,
                    "content": STANDARD.encode(&content),
                }),
            )
        }
        ("POST", ["repository", "commits"]) => commit(project, asked),
        ("GET", ["merge_requests"]) => {
            let fits = |one: &&MergeRequest| {
                asked.query("source_branch").is_none_or(|branch| branch == one.source)
                    && asked.query("target_branch").is_none_or(|branch| branch == one.target)
            };
            list(
                project
                    .merge_requests
                    .iter()
                    .rev()
                    .filter(fits)
                    .map(|one| request(path, project, one))
                    .collect(),
            )
        }
        ("POST", ["merge_requests"]) => {
            let (source, target) = (asked.text("source_branch"), asked.text("target_branch"));
            let same =
                |one: &MergeRequest| one.state == "opened" && one.source == source && one.target == target;
            if project.merge_requests.iter().any(same) {
                let why = "Another open merge request already exists for this source branch";
                return Reply::json(409, json!({ "message": [why] }));
            }
            let made = MergeRequest {
                iid: project.merge_requests.len() as u64 + 1,
                source_project: project.id,
                source,
                target,
                state: "opened".to_owned(),
                closed_at: None,
                title: asked.text("title"),
                description: asked.text("description"),
            };
            project.merge_requests.push(made.clone());
            Reply::json(201, request(path, project, &made))
        }
        (method, ["merge_requests", iid]) => {
            let iid = iid.parse::<u64>().ok();
            let Some(found) = project.merge_requests.iter_mut().find(|one| Some(one.iid) == iid) else {
                return not_found("Merge Request");
            };
            if method == "PUT" {
                for (field, text) in [("title", &mut found.title), ("description", &mut found.description)] {
                    if let Some(new) = asked.body.get(field).and_then(Value::as_str) {
                        new.clone_into(text);
                    }
                }
            }
            let found = found.clone();
            Reply::json(200, request(path, project, &found))
        }
        _ => not_found("Resource"),
    }
}

/// The commit that last changed a file, as seen from that one: the first on the way back after which it was another.
fn last_change(git: &Git, commit: &str, file: &str) -> String {
    let mut at = commit.to_owned();
    while let Some(parent) = git.parents(&at).first() {
        if git.file(parent, file) != git.file(&at, file) {
            break;
        }
        at.clone_from(parent);
    }
    at
}

fn commit(project: &mut Project, asked: &Asked) -> Reply {
    let branch = asked.text("branch");
    let tip = project.git.refs.get(&branch).cloned();
    let start = asked.body.get("start_sha").and_then(Value::as_str).map(str::to_owned);
    let on = match (tip, start) {
        (Some(_), Some(_)) => {
            let why = "A branch called already exists. Switch to that branch in order to make changes";
            return says(400, why);
        }
        (Some(on), None) | (None, Some(on)) => on,
        (None, None) => return says(400, "You can only create or edit files when you are on a branch"),
    };
    let mut tree = project.git.tree_at(&on);
    for action in asked.body.get("actions").and_then(Value::as_array).into_iter().flatten() {
        let text = |field: &str| action.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kind, file) = (text("action"), text("file_path"));
        match (kind.as_str(), tree.contains_key(&file)) {
            ("create", true) => return says(400, "A file with this name already exists"),
            ("update", false) => return says(400, "A file with this name doesn't exist"),
            _ => {}
        }
        let last = text("last_commit_id");
        if !last.is_empty() && last != last_change(&project.git, &on, &file) {
            return says(400, "The file has changed since you started editing it");
        }
        let content = match text("encoding").as_str() {
            "base64" => STANDARD.decode(text("content")).unwrap_or_default(),
            _ => text("content").into_bytes(),
        };
        let executable = action.get("execute_filemode") == Some(&Value::Bool(true));
        let mode = if executable { "100755" } else { "100644" };
        let blob = project.git.blob(content);
        tree.insert(file, (mode.to_owned(), blob));
    }
    let tree = project.git.tree(tree);
    let sha = project.git.commit(tree, vec![on.clone()], asked.text("commit_message"));
    project.git.refs.insert(branch, sha.clone());
    let short = sha.get(..8).map(str::to_owned);
    Reply::json(
        201,
        json!({ "id": sha, "short_id": short, "title": asked.text("commit_message"), "parent_ids": [on] }),
    )
}

fn request(path: &str, project: &Project, one: &MergeRequest) -> Value {
    let tip = one.closed_at.as_ref().or(project.git.refs.get(&one.source)).cloned();
    json!({
        "id": 900 + one.iid, "iid": one.iid, "project_id": project.id, "title": one.title, "description": one.description,
        "state": one.state, "created_at": "2026-11-29T09:10:00.000Z", "updated_at": "2026-11-29T09:10:00.000Z",
        "target_branch": one.target, "source_branch": one.source, "author": shown::user("regreen-bot"),
        "source_project_id": one.source_project, "target_project_id": project.id, "labels": [], "draft": false,
        "sha": tip, "merged_at": (one.state == "merged").then_some("2026-11-29T10:00:00.000Z"),
        "web_url": format!("https://gitlab.example.com/{path}/-/merge_requests/{}", one.iid),
    })
}
