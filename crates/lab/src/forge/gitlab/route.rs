//! One call: what goes wrong with it, who asks, what is answered.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    body::Body,
    extract,
    http::{HeaderMap, Method, Response, Uri},
};
use serde_json::{Value, json};

use super::{World, members, pipelines, repository, shown, social, variables};
use crate::forge::{
    Call, What,
    route::{Asked, LARGEST, Reply, finished},
};

pub(super) async fn answer(
    extract::State(world): extract::State<Arc<Mutex<World>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let bytes = axum::body::to_bytes(body, LARGEST).await.unwrap_or_default();
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let (reply, trouble) = {
        let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = world.troubles.iter_mut().find(|trouble| trouble.fits(method.as_str(), &path));
        let trouble = trouble.map(|trouble| {
            trouble.times -= 1;
            trouble.what.clone()
        });
        let token = headers.get("private-token").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let asked = Asked::of(&method, &uri, &bytes);
        let reply = reply(&mut world, &asked, token.as_deref(), trouble.as_ref());
        let status = if trouble == Some(What::Hang) { 0 } else { reply.status };
        let body = String::from_utf8_lossy(&bytes).into_owned();
        let authorized = token.is_some() || headers.contains_key("authorization");
        world.calls.push(Call { method: method.to_string(), path, body, authorized, status });
        (reply, trouble)
    };
    if trouble == Some(What::Hang) {
        std::future::pending::<()>().await;
    }
    finished(reply, matches!(trouble, Some(What::Cut | What::DoneButCut)))
}

/// A refusal, as GitLab words it.
pub(super) fn says(status: u16, message: &str) -> Reply {
    Reply::json(status, json!({ "message": message }))
}

pub(super) fn not_found(what: &str) -> Reply {
    says(404, &format!("404 {what} Not Found"))
}

fn reply(world: &mut World, asked: &Asked, token: Option<&str>, trouble: Option<&What>) -> Reply {
    match trouble {
        Some(What::Status(status)) => return says(*status, "500 Internal Server Error"),
        Some(What::Cut | What::Hang) => return says(200, "this is cut off"),
        Some(What::Garbage) => {
            return Reply { body: b"<html>502 Whoops, GitLab".to_vec(), ..Reply::json(200, Value::Null) };
        }
        Some(What::Body(bytes)) => return Reply { body: bytes.clone(), ..Reply::empty(200) },
        Some(What::Redirect(to)) => {
            return Reply { headers: vec![("location", to.clone())], ..Reply::empty(302) };
        }
        Some(What::SlowDown(seconds)) => {
            let mut reply = Reply { body: b"Retry later\n".to_vec(), ..Reply::empty(429) };
            reply.headers.extend(seconds.map(|seconds| ("retry-after", seconds.to_string())));
            return reply;
        }
        Some(What::UsedUp) => {
            if let Some(quota) = &mut world.quota {
                quota.remaining = 0;
            }
        }
        _ => {}
    }
    if asked.parts.first().is_some_and(|part| part == "_traces") {
        return match token {
            Some(_) => says(400, "a token was sent to where traces lie"),
            None => pipelines::stored(world, asked),
        };
    }
    let used_up = world.quota.is_some_and(|quota| quota.remaining == 0);
    let mut reply = match () {
        () if used_up => Reply { body: b"Retry later\n".to_vec(), ..Reply::empty(429) },
        () if world.token.is_some() && world.token.as_deref() != token => says(401, "401 Unauthorized"),
        () => routed(world, asked),
    };
    if let Some(What::DoneBut(status)) = trouble {
        reply = says(*status, "502 Bad Gateway");
    }
    if let Some(quota) = &mut world.quota {
        quota.remaining = quota.remaining.saturating_sub(1);
        reply.headers.extend([
            ("ratelimit-limit", quota.limit.to_string()),
            ("ratelimit-remaining", quota.remaining.to_string()),
            ("ratelimit-reset", quota.reset.to_string()),
        ]);
    }
    reply
}

fn routed(world: &mut World, asked: &Asked) -> Reply {
    let parts: Vec<&str> = asked.parts.iter().map(String::as_str).collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["api", "v4", "user"]) => Reply::json(200, shown::user(&world.login)),
        ("GET", ["api", "v4", "users", rest @ ..]) => members::accounts(world, asked, rest),
        // A project by its path, encoded as one part.
        (_, ["api", "v4", "projects", path, rest @ ..]) => {
            let Some(project) = world.projects.get(*path) else { return not_found("Project") };
            match rest {
                [] => Reply::json(200, shown::project(path, project)),
                ["pipelines" | "pipeline" | "jobs", ..] => pipelines::answer(world, path, asked, rest),
                ["repository", "branches" | "files", ..] | ["repository", "commits"] | ["merge_requests"] => {
                    repository::answer(world, path, asked, rest)
                }
                ["variables", key] => variables::answer(world, path, asked, key),
                ["members", "all", id] => members::member(world, path, id),
                ["merge_requests", iid, "pipelines"] => members::pipelines(world, path, iid),
                ["merge_requests", _] => repository::answer(world, path, asked, rest),
                _ => social::answer(world, path, asked, rest),
            }
        }
        _ => Reply::json(404, json!({ "error": "404 Not Found" })),
    }
}
