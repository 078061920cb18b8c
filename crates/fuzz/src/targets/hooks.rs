//! Webhooks: the first line of an input names sender and event, the rest is the body.

use regreen_forge::{
    Repository,
    hook::{Event, Secret, Secrets, Sender, receive},
};

use super::bytes;
use crate::Target;

pub(super) const TARGET: Target = Target {
    name: "hooks",
    law: "what is not proven is not read; what is done for has a repository, a commit and a key that lead nowhere else",
    run,
    seeds,
    words: &[
        "workflow_run\n",
        "workflow_job\n",
        "check_run\n",
        "issue_comment\n",
        "Pipeline Hook\n",
        "Job Hook\n",
        "Note Hook\n",
        "\"action\":\"completed\",",
        "\"conclusion\":\"failure\",",
        "\"full_name\":\"a/..\"",
        "\"head_sha\":\"",
        "/regreen approve ",
        "\\n/regreen retry",
        "\\u0000",
        "null",
        "{",
        "}",
        "payload=",
    ],
    share: 100,
};

const SECRET: &str = "a-secret-of-the-fuzzer";

fn seeds() -> Vec<Vec<u8>> {
    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
    [
        format!(
            "workflow_run\n{{\"action\":\"completed\",\"repository\":{{\"full_name\":\"a/b\"}},\"workflow_run\":{{\"id\":7,\
             \"run_attempt\":1,\"head_sha\":\"{SHA}\",\"head_branch\":\"main\",\"status\":\"completed\",\"conclusion\":\"failure\"}}}}"
        ),
        format!(
            "workflow_job\n{{\"action\":\"completed\",\"repository\":{{\"full_name\":\"a/b\"}},\"workflow_job\":{{\"id\":9,\
             \"run_id\":7,\"name\":\"test\",\"head_sha\":\"{SHA}\",\"status\":\"completed\",\"conclusion\":\"failure\"}}}}"
        ),
        "issue_comment\n{\"action\":\"created\",\"repository\":{\"full_name\":\"a/b\"},\"issue\":{\"number\":3},\
         \"comment\":{\"id\":5,\"body\":\"/regreen approve 01-1-1\",\"user\":{\"login\":\"ann\"}}}"
            .to_owned(),
        format!(
            "Pipeline Hook\n{{\"object_kind\":\"pipeline\",\"object_attributes\":{{\"id\":7,\"status\":\"failed\",\"sha\":\"{SHA}\",\
             \"finished_at\":\"2026-11-29 09:04:10 UTC\"}},\"project\":{{\"path_with_namespace\":\"a/b/c\"}}}}"
        ),
        format!(
            "Job Hook\n{{\"object_kind\":\"build\",\"build_id\":9,\"build_name\":\"test\",\"build_status\":\"failed\",\
             \"pipeline_id\":7,\"sha\":\"{SHA}\",\"project\":{{\"path_with_namespace\":\"a/b\"}}}}"
        ),
    ]
    .map(|text| bytes(&text))
    .to_vec()
}

fn run(input: &[u8]) {
    let cut = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (name, body) = input.split_at(cut);
    let name = String::from_utf8_lossy(name);
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    let Ok(secret) = Secret::new(SECRET) else { panic!("a weak secret") };
    let secrets = Secrets::new([secret]);
    // GitHub's signature needs a key; GitLab's token reads the same body, and the same rules hold for both.
    let headers = |header: &str| match header {
        "x-gitlab-token" => Some(SECRET),
        "x-gitlab-event" => Some(&*name),
        "x-gitlab-event-uuid" => Some("u-1"),
        "content-type" => Some("application/json"),
        _ => None,
    };
    let unproven = receive(Sender::GitHub, &secrets, &headers, body);
    assert!(unproven.is_err(), "{unproven:?}");
    let answers = [
        receive(Sender::GitLab, &secrets, &headers, body).map(|delivery| delivery.event),
        Ok(regreen_forge::hook::read(Sender::GitHub, &name, body)),
    ];
    for event in answers.into_iter().flatten() {
        check(&event);
    }
}

fn check(event: &Event) {
    let (repository, commit): (&Repository, _) = match event {
        Event::RunEnded(run) => (&run.repository, Some(&run.commit)),
        Event::JobEnded(job) => (&job.repository, Some(&job.commit)),
        Event::CheckEnded(check) => (&check.repository, Some(&check.commit)),
        Event::Comment(comment) => (&comment.repository, None),
        Event::Ignored { .. } | Event::Refused { .. } => {
            assert_eq!(event.key(), None);
            return;
        }
    };
    let repository = repository.as_str();
    assert!(repository.split('/').count() >= 2 && !repository.split('/').any(|n| n == ".." || n.is_empty()));
    assert!(commit.is_none_or(|c| matches!(c.len(), 40 | 64) && c.bytes().all(|b| b.is_ascii_hexdigit())));
    assert!(event.key().is_some_and(|key| key.contains(repository)));
}
