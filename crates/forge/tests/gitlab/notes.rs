//! Issues, notes, statuses: one of each, found again by its marker, and never somebody else's.

use regreen_forge::{Check, CheckState, Forge, IssueText};
use regreen_lab::forge::{Trouble, What};

use crate::{NAME, marker, repository, stage};

fn text(body: &str) -> IssueText {
    IssueText {
        marker: marker("npm-integrity/4f1c"),
        title: "The npm cache is damaged".to_owned(),
        body: body.to_owned(),
        labels: vec!["infrastructure".to_owned()],
    }
}

#[tokio::test]
async fn one_issue_a_marker_updated_closed_and_opened_again() {
    let (host, client) = stage();
    let repository = repository();
    assert_eq!(client.find_issue(&repository, &text("").marker).await, Ok(None));
    let made = client.create_issue(&repository, &text("first")).await.unwrap();
    let again = client.create_issue(&repository, &text("second")).await.unwrap();
    assert_eq!((made.number, again.number, made.open), (again.number, made.number, true));
    let updated = client.update_issue(&repository, made.number, &text("second")).await.unwrap();
    assert!(updated.body.starts_with("second\n\n<!-- regreen npm-integrity/4f1c -->"), "{}", updated.body);
    client.close_issue(&repository, made.number).await.unwrap();
    let closed = client.find_issue(&repository, &text("").marker).await.unwrap().unwrap();
    assert_eq!((closed.number, closed.open), (made.number, false));
    assert!(client.update_issue(&repository, made.number, &text("third")).await.unwrap().open);
    let world = host.world();
    let issues = &world.projects[NAME].issues;
    assert_eq!(
        (issues.len(), issues[0].labels.clone()),
        (1, vec!["regreen".to_owned(), "infrastructure".to_owned()])
    );
}

#[tokio::test]
async fn an_issue_is_known_by_its_number_without_label_and_mark() {
    let (host, client) = stage();
    let repository = repository();
    let made = client.create_issue(&repository, &text("first")).await.unwrap();
    let change = |change: &dyn Fn(&mut Vec<_>)| {
        change(&mut host.world().projects.get_mut(NAME).unwrap().issues);
    };
    change(&|issues| {
        issues[0].labels.clear();
        issues[0].description = "a person's".to_owned();
    });
    assert_eq!(client.find_issue(&repository, &text("").marker).await, Ok(None));
    let found = client.issue(&repository, made.number).await.unwrap().unwrap();
    assert_eq!((found.number, found.open, found.body.as_str()), (made.number, true, "a person's"));
    change(&|issues| issues[0].author = "mallory".to_owned());
    assert_eq!(client.issue(&repository, made.number).await, Ok(None));
    change(&|issues| issues.clear());
    assert_eq!(client.issue(&repository, made.number).await, Ok(None));
}

#[tokio::test]
async fn an_issue_whose_answer_was_lost_is_found() {
    for lost in [What::DoneBut(502), What::DoneButCut] {
        let (host, client) = stage();
        host.world().troubles.push(Trouble::once("POST", "/issues", lost.clone()));
        let made = client.create_issue(&repository(), &text("x")).await;
        assert_eq!(made.map(|issue| issue.number), Ok(1), "{lost:?}");
        assert_eq!(host.world().projects[NAME].issues.len(), 1, "{lost:?}");
    }
}

#[tokio::test]
async fn a_strangers_copy_of_a_marker_is_not_taken_for_ours() {
    let (host, client) = stage();
    let repository = repository();
    let own = client.create_issue(&repository, &text("ours")).await.unwrap();
    let note = marker("incident/0001");
    {
        let mut world = host.world();
        let found = world.projects.get_mut(NAME).unwrap();
        let mut copy = found.issues[0].clone();
        (copy.iid, copy.author) = (2, "mallory".to_owned());
        found.issues.insert(0, copy);
        found.notes.push(regreen_lab::forge::gitlab::Note {
            id: 5,
            on: "issues".to_owned(),
            iid: own.number,
            author: "mallory".to_owned(),
            body: note.mark("theirs"),
        });
    }
    assert_eq!(client.find_issue(&repository, &text("").marker).await.unwrap().unwrap().number, own.number);
    let first = client.comment(&repository, own.number, &note, "ours").await.unwrap();
    let second = client.comment(&repository, own.number, &note, "ours, better").await.unwrap();
    assert_eq!(first, second);
    let world = host.world();
    let bodies: Vec<&str> =
        world.projects[NAME].notes.iter().map(|c| c.body.lines().next().unwrap()).collect();
    assert_eq!(bodies, ["theirs", "ours, better"]);
}

#[tokio::test]
async fn a_comment_whose_answer_was_lost_is_found() {
    let (host, client) = stage();
    let issue = client.create_issue(&repository(), &text("x")).await.unwrap();
    host.world().troubles.push(Trouble::once("POST", "/notes", What::DoneBut(500)));
    client.comment(&repository(), issue.number, &marker("incident/0001"), "hello").await.unwrap();
    assert_eq!(host.world().projects[NAME].notes.len(), 1);
}

#[tokio::test]
async fn one_check_a_commit_and_marker() {
    let (host, client) = stage();
    let head_sha = host.world().projects[NAME].git.refs["main"].clone();
    let mut check = Check {
        name: "Regreen".to_owned(),
        head_sha,
        marker: marker("incident/0001"),
        state: CheckState::Running,
        title: "Healing".to_owned(),
        summary: "The cache is damaged.".to_owned(),
        details_url: Some("https://regreen.example/incidents/1".to_owned()),
        started_at: Some(std::time::SystemTime::UNIX_EPOCH),
    };
    host.world().troubles.push(Trouble::once("POST", "/statuses", What::DoneButCut));
    let id = client.check_run(&repository(), &check).await.unwrap();
    check.state = CheckState::Success;
    assert_eq!(client.check_run(&repository(), &check).await, Ok(id));
    let world = host.world();
    let statuses = &world.projects[NAME].statuses;
    assert_eq!((statuses.len(), statuses[0].state.as_str()), (1, "success"));
    assert_eq!(statuses[0].description, "Healing [incident/0001]");
}

#[tokio::test]
async fn a_merge_requests_notes_are_not_the_issues_of_that_number_and_no_line_commands() {
    let (host, client) = stage();
    let issue = client.create_issue(&repository(), &text("The log says:\n/close\n")).await.unwrap();
    let own = host.world().projects[NAME].id;
    host.world().projects.get_mut(NAME).unwrap().merge_requests.push(
        regreen_lab::forge::gitlab::MergeRequest {
            iid: issue.number,
            source_project: own,
            source: "sharper".to_owned(),
            target: "main".to_owned(),
            state: "opened".to_owned(),
            closed_at: None,
            title: String::new(),
            description: String::new(),
        },
    );
    let note = marker("incident/0001");
    client.comment(&repository(), issue.number, &note, "on the issue").await.unwrap();
    let body = "/assign @mallory\n/usr/bin/npm failed";
    client.comment_on_change(&repository(), issue.number, &note, body).await.unwrap();
    let again = client.comment_on_change(&repository(), issue.number, &note, body).await;
    assert!(again.is_ok());
    let world = host.world();
    let project = &world.projects[NAME];
    let said: Vec<(&str, &str)> =
        project.notes.iter().map(|note| (note.on.as_str(), note.body.lines().next().unwrap())).collect();
    assert_eq!(said, [("issues", "on the issue"), ("merge_requests", "\\/assign @mallory")]);
    assert!(project.issues[0].description.contains("\n\\/close\n"), "{}", project.issues[0].description);
    assert_eq!(world.count("PUT", "/notes"), 0);
}

#[tokio::test]
async fn owners_are_read_where_gitlab_reads_them_and_who_is_unknown_is_passed_over() {
    let (host, client) = stage();
    assert_eq!(client.owners(&repository()).await, Ok(None));
    for (path, text) in [(".gitlab/CODEOWNERS", "* @third"), ("CODEOWNERS", "* @dev")] {
        host.world().projects.get_mut(NAME).unwrap().git.push("main", &[(path, text.as_bytes())], "owners");
        assert_eq!(client.owners(&repository()).await.unwrap().as_deref(), Some(text), "{path}");
    }
    host.world().add_person(NAME, "dev", 30);
    let issue = client.create_issue(&repository(), &text("b")).await.unwrap();
    client.assign(&repository(), issue.number, &["ghost".to_owned()]).await.unwrap();
    assert_eq!(host.world().projects[NAME].issues[0].assignees, [0u64; 0]);
    client.assign(&repository(), issue.number, &["ghost".to_owned(), "Dev".to_owned()]).await.unwrap();
    assert_eq!(host.world().projects[NAME].issues[0].assignees.len(), 1);
}
