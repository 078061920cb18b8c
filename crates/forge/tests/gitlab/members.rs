//! Who may do what, as GitLab says it: asked each time, by the account and its membership.

use regreen_forge::{Forge, ForgeError, Marker, Permission};
use regreen_lab::forge::{Trouble, What, gitlab::Member};

use crate::{NAME, marker, repository, stage};

#[tokio::test]
async fn members_may_by_their_level_and_others_what_the_project_shows_them() {
    let (host, client) = stage();
    let repository = repository();
    let may = async |login: &str| client.permission(&repository, login).await.unwrap();
    {
        let mut world = host.world();
        for (name, level) in [("guest", 10), ("planner", 15), ("reporter", 20), ("dev", 30), ("boss", 40)] {
            world.add_person(NAME, name, level);
        }
        world.add_person(NAME, "stranger", 0);
        let bot = world.add_person(NAME, "project_31_bot_0a1b", 40);
        world.accounts.get_mut(&bot).unwrap().bot = true;
        let gone = world.add_person(NAME, "blocked", 50);
        world.accounts.get_mut(&gone).unwrap().state = "blocked".to_owned();
        for (name, day) in [("late", "2020-01-01"), ("early", "2999-01-01")] {
            let id = world.add_person(NAME, name, 30);
            let member = Member { level: 30, expires_at: Some(day.to_owned()) };
            world.projects.get_mut(NAME).unwrap().members.insert(id, member);
        }
    }
    for (login, want) in [
        ("boss", Permission::Admin),
        ("dev", Permission::Write),
        ("DEV", Permission::Write),
        ("early", Permission::Write),
        ("reporter", Permission::Read),
        ("guest", Permission::Read),
        ("planner", Permission::Read),
        ("stranger", Permission::None),
        ("late", Permission::None),
        ("blocked", Permission::None),
        ("project_31_bot_0a1b", Permission::None),
        ("nobody", Permission::None),
        ("de", Permission::None),
    ] {
        assert_eq!(may(login).await, want, "{login}");
    }
    // Where pipelines are for members from reporter on, or for everybody.
    host.world().projects.get_mut(NAME).unwrap().public_jobs = false;
    assert_eq!((may("guest").await, may("reporter").await), (Permission::None, Permission::Read));
    {
        let mut world = host.world();
        let project = world.projects.get_mut(NAME).unwrap();
        (project.public_jobs, project.visibility) = (true, "public".to_owned());
    }
    assert_eq!((may("stranger").await, may("late").await), (Permission::Read, Permission::Read));
    assert_eq!(may("blocked").await, Permission::None);
}

#[tokio::test]
async fn who_can_not_be_asked_about_may_nothing_now() {
    let (host, client) = stage();
    host.world().add_person(NAME, "dev", 30);
    for path in ["/users?", "/users/", "/members/all/"] {
        host.world().troubles.push(Trouble { times: 4, ..Trouble::once("GET", path, What::Status(500)) });
        let asked = client.permission(&repository(), "dev").await;
        assert!(matches!(asked, Err(ForgeError::Unreachable { .. })), "{path}: {asked:?}");
    }
    assert_eq!(client.permission(&repository(), "dev").await, Ok(Permission::Write));
}

#[tokio::test]
async fn an_answer_takes_the_place_of_an_older_one_and_never_of_a_newer() {
    let (host, client) = stage();
    let (repository, commands) = (repository(), marker("commands"));
    client
        .create_issue(
            &repository,
            &regreen_forge::IssueText {
                marker: marker("some/issue"),
                title: "t".to_owned(),
                body: String::new(),
                labels: Vec::new(),
            },
        )
        .await
        .unwrap();
    for (text, at, want) in [("first", 5, "first"), ("older", 4, "first"), ("newer", 6, "newer")] {
        client.comment(&repository, 1, &commands, &Marker::in_order(text, (at, 0))).await.unwrap();
        let world = host.world();
        let notes = &world.projects[NAME].notes;
        assert_eq!(notes.len(), 1);
        assert!(notes[0].body.starts_with(want), "{}", notes[0].body);
    }
}
