//! Accounts, and what they may do in a project.

use serde_json::{Value, json};

use super::{World, route::not_found};
use crate::forge::route::{Asked, Reply};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub username: String,
    /// `active`, `blocked`, `deactivated`, …
    pub state: String,
    /// It is a machine's.
    pub bot: bool,
}

/// A membership in a project, its own or inherited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// 10 for a guest, 20 for a reporter, 30 for a developer, 40 for a maintainer, 50 for an owner.
    pub level: u64,
    /// The day on which it ends, such as `2026-12-31`.
    pub expires_at: Option<String>,
}

/// `GET /users?username=NAME`, `GET /users/:id`.
pub(super) fn accounts(world: &World, asked: &Asked, rest: &[&str]) -> Reply {
    match rest {
        [] => {
            let name = asked.query("username").unwrap_or_default();
            let named = world.accounts.iter().filter(|(_, one)| one.username.eq_ignore_ascii_case(name));
            Reply::json(200, Value::Array(named.map(|(id, one)| basic(*id, one)).collect()))
        }
        [id] => match id.parse().ok().and_then(|id: u64| Some((id, world.accounts.get(&id)?))) {
            Some((id, one)) => {
                let mut shown = basic(id, one);
                shown["bot"] = json!(one.bot);
                Reply::json(200, shown)
            }
            None => not_found("User"),
        },
        _ => not_found("User"),
    }
}

/// `GET /projects/:id/members/all/:user_id`.
pub(super) fn member(world: &World, path: &str, id: &str) -> Reply {
    let id = id.parse::<u64>().unwrap_or_default();
    let found = world.projects.get(path).and_then(|project| project.members.get(&id));
    let (Some(member), Some(account)) = (found, world.accounts.get(&id)) else { return not_found("Member") };
    let mut shown = basic(id, account);
    shown["access_level"] = json!(member.level);
    shown["expires_at"] = json!(member.expires_at);
    Reply::json(200, shown)
}

/// `GET /projects/:id/merge_requests/:iid/pipelines`.
pub(super) fn pipelines(world: &World, path: &str, iid: &str) -> Reply {
    let Some(project) = world.projects.get(path) else { return not_found("Project") };
    let number = iid.parse::<u64>().unwrap_or_default();
    let Some(request) = project.merge_requests.iter().find(|one| one.iid == number) else {
        return not_found("MergeRequest");
    };
    let of = format!("refs/merge-requests/{iid}/");
    let listed = project.pipelines.iter().rev().filter(|pipeline| {
        pipeline.reference.starts_with(&of)
            || (pipeline.reference == request.source && request.source_project == project.id)
    });
    let shown = |pipeline: &super::Pipeline| {
        json!({
            "id": pipeline.id, "sha": pipeline.sha, "ref": pipeline.reference, "status": pipeline.status,
            "source": pipeline.source, "project_id": project.id,
        })
    };
    Reply::json(200, Value::Array(listed.map(shown).collect()))
}

fn basic(id: u64, account: &Account) -> Value {
    json!({
        "id": id, "username": account.username, "name": account.username, "state": account.state, "locked": false,
        "avatar_url": null, "web_url": format!("https://gitlab.example.com/{}", account.username),
    })
}
