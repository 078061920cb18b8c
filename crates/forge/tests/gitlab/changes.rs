//! Changes as merge requests: one a branch, which only ever grows.

use regreen_forge::{Change, FileChange, Forge, ForgeError, NotAllowed, Proposal, Proposed};
use regreen_lab::forge::{Trouble, What, gitlab};

use crate::{NAME, marker, repository, stage};

fn change(before: &[u8], after: &[u8]) -> Change {
    Change {
        base: "main".to_owned(),
        branch: "regreen/repair/package-lock.json".to_owned(),
        files: vec![FileChange {
            path: "package-lock.json".to_owned(),
            before: Some(before.to_vec()),
            after: after.to_vec(),
            executable: false,
        }],
        message: "Repair package-lock.json".to_owned(),
        title: "Repair package-lock.json".to_owned(),
        body: "One checksum was put back.".to_owned(),
        marker: marker("lockfile/package-lock.json"),
    }
}

fn push(host: &gitlab::GitLab, branch: &str, path: &str, content: &[u8]) {
    host.world().projects.get_mut(NAME).unwrap().git.push(branch, &[(path, content)], "a person's");
}

fn held(host: &gitlab::GitLab, path: &str) -> String {
    let world = host.world();
    let file = world.projects[NAME].git.file("regreen/repair/package-lock.json", path);
    String::from_utf8(file.unwrap_or_default()).unwrap()
}

fn done(result: &Result<Proposal, ForgeError>) -> Proposed {
    result.as_ref().map(|proposal| proposal.done).unwrap_or_else(|e| panic!("{e:?}"))
}

#[tokio::test]
async fn one_merge_request_opened_left_alone_and_brought_up_to_date() {
    let (host, client) = stage();
    let repository = repository();
    let first = client.propose_change(&repository, &change(b"good\n", b"better\n")).await;
    assert_eq!((done(&first), held(&host, "package-lock.json")), (Proposed::Opened, "better\n".to_owned()));
    let second = client.propose_change(&repository, &change(b"good\n", b"better\n")).await;
    assert_eq!(done(&second), Proposed::Unchanged);
    assert_eq!(first.as_ref().unwrap().commit, second.unwrap().commit);
    let third = client.propose_change(&repository, &change(b"good\n", b"best\n")).await;
    assert_eq!((done(&third), held(&host, "package-lock.json")), (Proposed::Updated, "best\n".to_owned()));
    assert_eq!(third.unwrap().number, first.unwrap().number);
    let world = host.world();
    let found = &world.projects[NAME];
    assert_eq!((found.merge_requests.len(), found.git.forced.len()), (1, 0));
    assert_eq!(found.git.file("main", "package-lock.json").unwrap(), b"good\n");
}

#[tokio::test]
async fn what_a_person_added_stays() {
    let (host, client) = stage();
    let repository = repository();
    client.propose_change(&repository, &change(b"good\n", b"better\n")).await.unwrap();
    push(&host, "regreen/repair/package-lock.json", "NOTES", b"mine\n");
    client.propose_change(&repository, &change(b"good\n", b"best of all\n")).await.unwrap();
    assert_eq!(
        (held(&host, "NOTES"), held(&host, "package-lock.json")),
        ("mine\n".to_owned(), "best of all\n".to_owned())
    );
    assert_eq!(host.world().projects[NAME].merge_requests.len(), 1);
}

#[tokio::test]
async fn a_base_that_moved_on_gets_no_stale_change() {
    let (host, client) = stage();
    push(&host, "main", "package-lock.json", b"newer\n");
    let refused = client.propose_change(&repository(), &change(b"good\n", b"better\n")).await;
    let changed = NotAllowed::Changed { path: "package-lock.json".to_owned() };
    assert!(matches!(refused, Err(ForgeError::NotAllowed { why, .. }) if why == changed));
    assert_eq!(host.world().count("POST", ""), 0);
}

#[tokio::test]
async fn a_person_who_said_no_is_not_asked_again_and_a_branch_that_was_merged_is_no_hindrance() {
    let (host, client) = stage();
    let repository = repository();
    client.propose_change(&repository, &change(b"good\n", b"better\n")).await.unwrap();
    let close = |merged: bool| {
        let mut world = host.world();
        let found = world.projects.get_mut(NAME).unwrap();
        let tip = found.git.refs["regreen/repair/package-lock.json"].clone();
        let pull = found.merge_requests.last_mut().unwrap();
        pull.state = if merged { "merged" } else { "closed" }.to_owned();
        pull.closed_at = Some(tip);
    };
    close(false);
    let declined = client.propose_change(&repository, &change(b"good\n", b"better\n")).await;
    assert!(matches!(declined, Err(ForgeError::NotAllowed { why: NotAllowed::Declined { number: 1 }, .. })));
    // Something else may be asked; and again when that was merged and the branch left standing.
    assert_eq!(
        done(&client.propose_change(&repository, &change(b"good\n", b"best\n")).await),
        Proposed::Opened
    );
    close(true);
    push(&host, "main", "package-lock.json", b"best\n");
    assert_eq!(
        done(&client.propose_change(&repository, &change(b"best\n", b"better\n")).await),
        Proposed::Opened
    );
    assert_eq!(held(&host, "package-lock.json"), "better\n");
    let world = host.world();
    assert_eq!((world.projects[NAME].merge_requests.len(), world.projects[NAME].git.forced.len()), (3, 0));
}

#[tokio::test]
async fn lost_answers_make_no_second_merge_request() {
    for path in ["/repository/commits", "/merge_requests"] {
        for lost in [What::DoneBut(502), What::DoneButCut] {
            let (host, client) = stage();
            host.world().troubles.push(Trouble::once("POST", path, lost.clone()));
            let made = client.propose_change(&repository(), &change(b"good\n", b"better\n")).await;
            assert_eq!(done(&made), Proposed::Opened, "{path} {lost:?}");
            assert_eq!(host.world().projects[NAME].merge_requests.len(), 1, "{path} {lost:?}");
            assert_eq!(held(&host, "package-lock.json"), "better\n", "{path} {lost:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_regreens_is_not_touched() {
    let (host, client) = stage();
    let good = change(b"good\n", b"better\n");
    let with = |set: &dyn Fn(&mut Change)| {
        let mut change = good.clone();
        set(&mut change);
        change
    };
    for wrong in [
        with(&|c| c.branch = "main".to_owned()),
        with(&|c| c.branch = "regreen/".to_owned()),
        with(&|c| c.branch = "regreen/../main".to_owned()),
        with(&|c| c.files.clear()),
        with(&|c| c.files[0].path = "../x".to_owned()),
        with(&|c| c.files[0].path = ".git/config".to_owned()),
        with(&|c| c.files[0].path = "/etc/x".to_owned()),
        with(&|c| c.files[0].after = b"good\n".to_vec()),
        with(&|c| c.base = String::new()),
    ] {
        let refused = client.propose_change(&repository(), &wrong).await;
        assert!(matches!(refused, Err(ForgeError::Invalid { .. })), "{wrong:?}");
    }
    assert!(host.world().calls.is_empty());
}
