//! Issues, comments, and verdicts beside commits.

use serde_json::{Value, json};

use super::{
    World,
    route::{Asked, Reply},
    sample::{sample, with},
};

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Whose it is.
    pub login: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Whether it is open.
    pub open: bool,
    /// Its labels.
    pub labels: Vec<String>,
    /// Whom it is assigned to.
    pub assignees: Vec<String>,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// The issue or pull request it is on.
    pub on: u64,
    /// Whose it is.
    pub login: String,
    /// Its text.
    pub body: String,
}

/// A verdict beside a commit, as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Its id.
    pub id: u64,
    /// What was sent, later fields in place of earlier ones.
    pub said: Value,
}

pub(super) fn answer(world: &mut World, name: &str, asked: &Asked, rest: &[&str]) -> Reply {
    let (id, login) = (world.new_id(), world.login.clone());
    // An app's own account.
    let login = if world.app_only { "regreen[bot]".to_owned() } else { login };
    let Some(repository) = world.repositories.get_mut(name) else { return Reply::not_found() };
    let number = rest.get(1).and_then(|n| n.parse::<u64>().ok());
    match (asked.method.as_str(), rest) {
        ("GET", ["collaborators", login, "permission"]) => {
            let may = repository.permissions.get(*login).map_or("read", String::as_str);
            let user = sample("user", json!({ "login": login, "role_name": may }));
            Reply::json(200, json!({ "permission": may, "role_name": may, "user": user }))
        }
        ("GET", ["issues"]) => {
            let label = asked.query("labels").unwrap_or_default().to_owned();
            let any = asked.query("state") == Some("all");
            let fits = |i: &&Issue| (label.is_empty() || i.labels.contains(&label)) && (any || i.open);
            let mut listed: Vec<Value> =
                repository.issues.iter().filter(fits).map(|i| issue(name, i)).collect();
            if asked.query("direction") != Some("asc") {
                listed.reverse();
            }
            asked.page(world, listed, |_, page| Value::Array(page))
        }
        ("GET", ["issues", _]) => {
            let found = repository.issues.iter().find(|i| Some(i.number) == number);
            found.map_or_else(Reply::not_found, |found| Reply::json(200, issue(name, found)))
        }
        ("POST", ["issues"]) => {
            let made = Issue {
                number: repository.issues.len() as u64 + repository.pulls.len() as u64 + 1,
                login,
                title: asked.text("title"),
                body: asked.text("body"),
                open: true,
                labels: labels(&asked.body),
                assignees: Vec::new(),
            };
            repository.issues.push(made.clone());
            Reply::json(201, issue(name, &made))
        }
        ("PATCH", ["issues", _]) => {
            let Some(found) = repository.issues.iter_mut().find(|i| Some(i.number) == number) else {
                return Reply::not_found();
            };
            for (field, text) in [("title", &mut found.title), ("body", &mut found.body)] {
                if let Some(new) = asked.body.get(field).and_then(Value::as_str) {
                    new.clone_into(text);
                }
            }
            match asked.text("state").as_str() {
                "open" => found.open = true,
                "closed" => found.open = false,
                _ => {}
            }
            if asked.body.get("labels").is_some() {
                found.labels = labels(&asked.body);
            }
            let shown = issue(name, found);
            Reply::json(200, shown)
        }
        ("POST", ["issues", _, "assignees"]) => {
            let Some(found) = repository.issues.iter_mut().find(|i| Some(i.number) == number) else {
                return Reply::not_found();
            };
            let people = asked.body.get("assignees").and_then(Value::as_array);
            let people = people.into_iter().flatten().filter_map(Value::as_str);
            // As GitHub does: who may not be is passed over.
            for person in people.filter(|person| repository.permissions.contains_key(*person)) {
                found.assignees.push(person.to_owned());
            }
            Reply::json(201, issue(name, found))
        }
        ("GET", ["issues", _, "comments"]) => {
            let listed =
                repository.comments.iter().filter(|c| Some(c.on) == number).map(|c| comment(name, c));
            let listed = listed.collect();
            asked.page(world, listed, |_, page| Value::Array(page))
        }
        ("POST", ["issues", _, "comments"]) => {
            let made = Comment { id, on: number.unwrap_or_default(), login, body: asked.text("body") };
            repository.comments.push(made.clone());
            Reply::json(201, comment(name, &made))
        }
        ("PATCH", ["issues", "comments", which]) => {
            let which = which.parse::<u64>().ok();
            let Some(found) = repository.comments.iter_mut().find(|c| Some(c.id) == which) else {
                return Reply::not_found();
            };
            found.body = asked.text("body");
            Reply::json(200, comment(name, found))
        }
        ("GET", ["commits", sha, "check-runs"]) => {
            let fits = |check: &&Check| {
                let text = |field: &str| check.said.get(field).and_then(Value::as_str);
                text("head_sha") == Some(sha)
                    && asked.query("check_name").is_none_or(|n| text("name") == Some(n))
            };
            let listed: Vec<Value> = repository.checks.iter().filter(fits).map(check).collect();
            asked.page(world, listed, |total, page| json!({ "total_count": total, "check_runs": page }))
        }
        ("POST", ["check-runs"]) => {
            let made = Check { id, said: asked.body.clone() };
            repository.checks.push(made.clone());
            Reply::json(201, check(&made))
        }
        ("PATCH", ["check-runs", _]) => {
            let Some(found) = repository.checks.iter_mut().find(|c| Some(c.id) == number) else {
                return Reply::not_found();
            };
            found.said = with(found.said.clone(), asked.body.clone());
            Reply::json(200, check(found))
        }
        ("GET", ["check-runs", _, "annotations"]) => {
            let jobs = repository.runs.iter().flat_map(|run| &run.jobs);
            let Some(job) = jobs.into_iter().find(|job| Some(job.id) == number) else {
                return Reply::not_found();
            };
            let listed = job.annotations.iter().map(|(level, message)| {
                sample(
                    "annotation",
                    json!({ "annotation_level": level, "message": message, "path": ".github" }),
                )
            });
            let listed = listed.collect();
            asked.page(world, listed, |_, page| Value::Array(page))
        }
        _ => Reply::not_found(),
    }
}

fn labels(body: &Value) -> Vec<String> {
    let all = body.get("labels").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn user(example: &Value, login: &str) -> Value {
    with(example.get("user").cloned().unwrap_or_default(), json!({ "login": login }))
}

fn issue(name: &str, issue: &Issue) -> Value {
    let example = sample("issue", json!({}));
    let user = user(&example, &issue.login);
    with(
        example,
        json!({
            "number": issue.number,
            "state": if issue.open { "open" } else { "closed" },
            "title": issue.title,
            "body": issue.body,
            "user": user,
            "labels": issue.labels,
            "html_url": format!("https://github.com/{name}/issues/{}", issue.number),
        }),
    )
}

fn comment(name: &str, comment: &Comment) -> Value {
    let example = sample("comment", json!({}));
    let user = user(&example, &comment.login);
    let url = format!("https://github.com/{name}/issues/{}#issuecomment-{}", comment.on, comment.id);
    with(example, json!({ "id": comment.id, "body": comment.body, "user": user, "html_url": url }))
}

fn check(check: &Check) -> Value {
    let conclusion = check.said.get("conclusion").cloned();
    let status = if conclusion.is_some() { "completed" } else { "in_progress" };
    let mut facts = json!({ "id": check.id, "conclusion": conclusion, "status": status });
    for field in ["name", "head_sha", "external_id", "details_url"] {
        if let Some(value) = check.said.get(field) {
            facts[field] = value.clone();
        }
    }
    if let Some(output) = check.said.get("output") {
        let plain = sample("check_run", json!({})).get("output").cloned().unwrap_or_default();
        facts["output"] = with(plain, output.clone());
    }
    sample("check_run", facts)
}
