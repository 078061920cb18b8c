//! Issues, notes, and verdicts beside commits.

use serde_json::{Value, json};

use super::{
    World,
    route::{not_found, says},
    shown,
};
use crate::forge::route::{Asked, Reply};

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number in its project.
    pub iid: u64,
    /// Whose it is.
    pub author: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub description: String,
    /// Whether it is open.
    pub open: bool,
    /// Its labels.
    pub labels: Vec<String>,
    /// The numbers of whom it is assigned to.
    pub assignees: Vec<u64>,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: u64,
    /// `issues` or `merge_requests`.
    pub on: String,
    /// The number of that.
    pub iid: u64,
    /// Whose it is.
    pub author: String,
    /// Its text.
    pub body: String,
}

/// A verdict beside a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its id.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// Its name.
    pub name: String,
    /// `pending`, `running`, `success`, `failed`, `canceled`, `skipped`.
    pub state: String,
    /// A short text.
    pub description: String,
    /// Whose it is.
    pub author: String,
}

pub(super) fn answer(world: &mut World, path: &str, asked: &Asked, rest: &[&str]) -> Reply {
    let (id, login, shown_as) = (world.new_id(), world.login.clone(), world.shown_as.clone());
    let Some(project) = world.projects.get_mut(path) else { return not_found("Project") };
    let number = rest.get(1).and_then(|n| n.parse::<u64>().ok());
    let list = |listed: Vec<Value>| asked.page_at(&shown_as, listed, |_, page| Value::Array(page));
    match (asked.method.as_str(), rest) {
        ("GET", ["issues"]) => {
            let fits = |issue: &&Issue| {
                asked.query("labels").is_none_or(|label| issue.labels.iter().any(|one| one == label))
                    && asked.query("author_username").is_none_or(|author| issue.author == author)
            };
            let mut listed: Vec<Value> =
                project.issues.iter().filter(fits).map(|one| issue(path, one)).collect();
            if asked.query("sort") != Some("asc") {
                listed.reverse();
            }
            list(listed)
        }
        ("GET", ["issues", _]) => {
            let found = project.issues.iter().find(|one| Some(one.iid) == number);
            found.map_or_else(|| not_found("Issue"), |found| Reply::json(200, issue(path, found)))
        }
        ("POST", ["issues"]) => {
            let iid = project.issues.len() as u64 + 1;
            let mut made = Issue {
                iid,
                author: login,
                title: String::new(),
                description: String::new(),
                open: true,
                labels: Vec::new(),
                assignees: Vec::new(),
            };
            change(&mut made, asked);
            project.issues.push(made.clone());
            Reply::json(201, issue(path, &made))
        }
        ("PUT", ["issues", _]) => {
            let Some(found) = project.issues.iter_mut().find(|one| Some(one.iid) == number) else {
                return not_found("Issue");
            };
            change(found, asked);
            Reply::json(200, issue(path, found))
        }
        (method, [on @ ("issues" | "merge_requests"), _, "notes", rest @ ..]) => {
            let iid = number.unwrap_or_default();
            let there = match *on {
                "issues" => project.issues.iter().any(|one| one.iid == iid),
                _ => project.merge_requests.iter().any(|one| one.iid == iid),
            };
            if !there {
                return not_found("Noteable");
            }
            let fits = |note: &&Note| note.on == *on && note.iid == iid;
            match (method, rest) {
                ("GET", []) => list(project.notes.iter().filter(fits).map(note).collect()),
                ("POST", []) => {
                    let body = asked.text("body");
                    let made = Note { id, on: (*on).to_owned(), iid, author: login, body };
                    project.notes.push(made.clone());
                    Reply::json(201, note(&made))
                }
                ("PUT", [id]) => {
                    let id = id.parse::<u64>().ok();
                    let Some(found) = project.notes.iter_mut().find(|note| Some(note.id) == id) else {
                        return not_found("Note");
                    };
                    found.body = asked.text("body");
                    Reply::json(200, note(found))
                }
                _ => not_found("Note"),
            }
        }
        ("GET", ["repository", "commits", sha, "statuses"]) => {
            let fits = |status: &&Status| {
                status.sha == *sha && asked.query("name").is_none_or(|name| status.name == name)
            };
            list(project.statuses.iter().filter(fits).map(status).collect())
        }
        ("POST", ["statuses", sha]) => {
            let (name, state) = (asked.text("name"), asked.text("state"));
            let open = |one: &&mut Status| {
                one.sha == *sha && one.name == name && matches!(&*one.state, "pending" | "running")
            };
            if let Some(found) = project.statuses.iter_mut().find(open) {
                if found.state == state {
                    let why = format!("Cannot transition status via :run from :{state}");
                    return says(400, &why);
                }
                (found.state, found.description) = (state, asked.text("description"));
                return Reply::json(201, status(found));
            }
            let sha = (*sha).to_owned();
            let made = Status { id, sha, name, state, description: asked.text("description"), author: login };
            project.statuses.push(made.clone());
            Reply::json(201, status(&made))
        }
        _ => not_found("Resource"),
    }
}

fn change(issue: &mut Issue, asked: &Asked) {
    if let Some(ids) = asked.body.get("assignee_ids").and_then(Value::as_array) {
        issue.assignees = ids.iter().filter_map(Value::as_u64).collect();
    }
    for (field, text) in [("title", &mut issue.title), ("description", &mut issue.description)] {
        if let Some(new) = asked.body.get(field).and_then(Value::as_str) {
            new.clone_into(text);
        }
    }
    if asked.body.get("labels").is_some() {
        issue.labels = asked.text("labels").split(',').map(str::to_owned).collect();
    }
    match asked.text("state_event").as_str() {
        "reopen" => issue.open = true,
        "close" => issue.open = false,
        _ => {}
    }
}

fn issue(path: &str, issue: &Issue) -> Value {
    json!({
        "id": 700 + issue.iid, "iid": issue.iid, "project_id": 31, "title": issue.title,
        "description": issue.description, "state": if issue.open { "opened" } else { "closed" },
        "created_at": "2026-11-29T09:10:00.000Z", "updated_at": "2026-11-29T09:10:00.000Z", "labels": issue.labels,
        "author": shown::user(&issue.author), "assignees": [], "user_notes_count": 0, "confidential": false,
        "web_url": format!("https://gitlab.example.com/{path}/-/issues/{}", issue.iid),
    })
}

fn note(note: &Note) -> Value {
    let kind = if note.on == "issues" { "Issue" } else { "MergeRequest" };
    json!({
        "id": note.id, "body": note.body, "attachment": null, "author": shown::user(&note.author),
        "created_at": "2026-11-29T09:10:00.000Z", "updated_at": "2026-11-29T09:10:00.000Z", "system": false,
        "noteable_id": 700 + note.iid, "noteable_type": kind, "noteable_iid": note.iid, "resolvable": false,
    })
}

fn status(status: &Status) -> Value {
    json!({
        "id": status.id, "sha": status.sha, "ref": "main", "status": status.state, "name": status.name,
        "target_url": null, "description": status.description, "created_at": "2026-11-29T09:10:00.000Z",
        "started_at": null, "finished_at": null, "allow_failure": false, "author": shown::user(&status.author),
    })
}
