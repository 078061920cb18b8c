//! Issues, comments, checks: one of each, found again by its marker, and never somebody else's.

use regreen_forge::{Check, CheckState, Forge, IssueText, Marker};
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
    let issues = &world.repositories[NAME].issues;
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
        change(&mut host.world().repositories.get_mut(NAME).unwrap().issues);
    };
    change(&|issues| {
        issues[0].labels.clear();
        issues[0].body = "a person's".to_owned();
    });
    assert_eq!(client.find_issue(&repository, &text("").marker).await, Ok(None));
    let found = client.issue(&repository, made.number).await.unwrap().unwrap();
    assert_eq!((found.number, found.open, found.body.as_str()), (made.number, true, "a person's"));
    change(&|issues| issues[0].login = "mallory".to_owned());
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
        assert_eq!(host.world().repositories[NAME].issues.len(), 1, "{lost:?}");
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
        let found = world.repositories.get_mut(NAME).unwrap();
        let mut copy = found.issues[0].clone();
        (copy.number, copy.login) = (2, "mallory".to_owned());
        found.issues.insert(0, copy);
        let body = note.mark("theirs");
        found.comments.push(regreen_lab::forge::Comment {
            id: 5,
            on: own.number,
            login: "mallory".to_owned(),
            body,
        });
    }
    assert_eq!(client.find_issue(&repository, &text("").marker).await.unwrap().unwrap().number, own.number);
    let first = client.comment(&repository, own.number, &note, "ours").await.unwrap();
    let second = client.comment(&repository, own.number, &note, "ours, better").await.unwrap();
    assert_eq!(first, second);
    let world = host.world();
    let bodies: Vec<&str> =
        world.repositories[NAME].comments.iter().map(|c| c.body.lines().next().unwrap()).collect();
    assert_eq!(bodies, ["theirs", "ours, better"]);
}

#[tokio::test]
async fn a_comment_whose_answer_was_lost_is_found() {
    let (host, client) = stage();
    let issue = client.create_issue(&repository(), &text("x")).await.unwrap();
    host.world().troubles.push(Trouble::once("POST", "/comments", What::DoneBut(500)));
    client.comment(&repository(), issue.number, &marker("incident/0001"), "hello").await.unwrap();
    assert_eq!(host.world().repositories[NAME].comments.len(), 1);
}

#[tokio::test]
async fn one_check_a_commit_and_marker() {
    let (host, client) = stage();
    let head_sha = host.world().repositories[NAME].git.refs["main"].clone();
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
    host.world().troubles.push(Trouble::once("POST", "/check-runs", What::DoneButCut));
    let id = client.check_run(&repository(), &check).await.unwrap();
    check.state = CheckState::Success;
    assert_eq!(client.check_run(&repository(), &check).await, Ok(id));
    {
        let world = host.world();
        let checks = &world.repositories[NAME].checks;
        assert_eq!((checks.len(), &checks[0].said["conclusion"]), (1, &"success".into()));
    }
    // A node that comes late changes nothing.
    for (place, title, stays) in [(7, "Healed", false), (6, "Healing", true), (7, "Healed again", false)] {
        check.summary = Marker::in_order("It was.", (place, 0));
        check.title = title.to_owned();
        assert_eq!(client.check_run(&repository(), &check).await, Ok(id));
        let said = host.world().repositories[NAME].checks[0].said["output"]["title"] == title;
        assert_eq!(said, !stays, "{title}");
    }
    // One that says it is of the end of time was written by no node.
    let forged = Marker::in_order("It was.", (i64::MAX, 0));
    host.world().repositories.get_mut(NAME).unwrap().checks[0].said["output"]["summary"] = forged.into();
    assert_eq!(client.check_run(&repository(), &check).await, Ok(id));
    let said = host.world().repositories[NAME].checks[0].said["output"]["summary"].clone();
    assert_eq!(said, check.summary.as_str());
}

#[tokio::test]
async fn owners_are_read_where_github_reads_them_and_who_may_not_is_passed_over() {
    let (host, client) = stage();
    assert_eq!(client.owners(&repository()).await, Ok(None));
    for (path, text) in
        [("docs/CODEOWNERS", "* @third"), ("CODEOWNERS", "* @second"), (".github/CODEOWNERS", "* @ann")]
    {
        host.world().repositories.get_mut(NAME).unwrap().git.push(
            "main",
            &[(path, text.as_bytes())],
            "owners",
        );
        assert_eq!(client.owners(&repository()).await.unwrap().as_deref(), Some(text), "{path}");
    }
    host.world().repositories.get_mut(NAME).unwrap().permissions.insert("ann".to_owned(), "write".to_owned());
    let issue = client.create_issue(&repository(), &text("b")).await.unwrap();
    host.world().troubles.push(Trouble::once("POST", "/assignees", What::Status(502)));
    client.assign(&repository(), issue.number, &["ann".to_owned(), "ghost".to_owned()]).await.unwrap();
    assert_eq!(host.world().repositories[NAME].issues[0].assignees, ["ann"]);
}

#[tokio::test]
async fn what_an_account_may_do_is_asked_of_the_host() {
    use regreen_forge::Permission;
    let (host, client) = stage();
    let may = [("ann", "admin"), ("bob", "write"), ("eve", "none"), ("zoe", "own the place")];
    for (login, word) in may {
        let mut world = host.world();
        world.repositories.get_mut(NAME).unwrap().permissions.insert(login.to_owned(), word.to_owned());
    }
    for (login, want) in [
        ("ann", Permission::Admin),
        ("bob", Permission::Write),
        ("a-stranger", Permission::Read),
        ("eve", Permission::None),
        ("zoe", Permission::None),
    ] {
        assert_eq!(client.permission(&repository(), login).await.unwrap(), want, "{login}");
    }
    // An answer about somebody else, and none: no leave.
    let other = br#"{"permission":"admin","role_name":"admin","user":{"login":"ann"}}"#;
    host.world().troubles.push(Trouble::once("GET", "/collaborators/", What::Body(other.to_vec())));
    assert_eq!(client.permission(&repository(), "mallory").await.unwrap(), Permission::None);
    host.world().troubles.push(Trouble::once("GET", "/collaborators/", What::Status(404)));
    assert_eq!(client.permission(&repository(), "nobody").await.unwrap(), Permission::None);
    // Whatever a login is made of, it stays one part of the address.
    let _odd = client.permission(&repository(), "../../x?y").await;
    assert!(
        host.world().calls.iter().any(|call| call.path.contains("/collaborators/..%2F..%2Fx%3Fy/permission"))
    );
}
