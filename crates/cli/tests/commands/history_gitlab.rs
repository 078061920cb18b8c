//! `regreen report --gitlab`: the real program against the stand-in for GitLab.

use std::process::Command;

use regreen_lab::forge::{Trouble, What, gitlab::GitLab};

use crate::{said::Bare, support::stage::said};

const NAME: &str = "garden/tools/rake";
const TOKEN: &str = "glpat-verysecretverysecret00";

fn report(bare: &Bare, host: &GitLab) -> Command {
    let mut command =
        bare.command(&["report", "--gitlab", NAME, "--since", "7d", "--gitlab-url", &host.url()]);
    command.env("GITLAB_TOKEN", TOKEN);
    command
}

#[test]
fn a_projects_failed_jobs_are_read_once_and_only_read() {
    let (bare, host) = (Bare::new(), GitLab::start().unwrap());
    let expired: &[u8] = b"Running with gitlab-runner 17.5.0 (9882d9c7)\n\
        section_start:1764406801:step_script\r\x1b[0KExecuting \"step_script\" stage of the job script\n\
        $ make\ncurl: (60) SSL certificate problem: certificate has expired\n\
        section_end:1764406900:step_script\r\x1b[0K\nERROR: Job failed: exit code 60\n";
    let code: &[u8] = b"gcc -c a.c\na.c:3:9: error: expected expression\nmake: *** [a.o] Error 1\n";
    {
        let mut world = host.world();
        world.token = Some(TOKEN.to_owned());
        world.add(NAME, &[]);
        let (pipeline, _) = world.add_failed(NAME, &[("build", expired), ("lint", code), ("docs", expired)]);
        world.pipeline(NAME, pipeline).unwrap().jobs[1].allow_failure = true;
        world.add_failed(NAME, &[("build", code)]);
    }
    let first = said(&mut report(&bare, &host));
    let out = String::from_utf8(first.out).unwrap();
    assert_eq!((first.code, first.err.as_str()), (0, ""));
    // What may fail is no failure.
    assert!(out.starts_with("3 logs: 3 failed, 0 passed\n"), "{out}");
    assert!(out.contains("2 × a program does not trust a server"), "{out}");
    let logs = || host.world().count("GET", "/trace");
    assert_eq!((logs(), host.world().calls.iter().filter(|call| call.method != "GET").count()), (3, 0));
    let again = said(&mut report(&bare, &host));
    assert_eq!((again.code, logs()), (0, 3), "{}", again.err);

    // A log that is gone is named, a token that is refused said; nothing shows it.
    let (gone, _) = host.world().add_failed(NAME, &[("build", b"")]);
    host.world().troubles.push(Trouble::once("GET", &format!("/pipelines/{gone}"), What::Status(502)));
    let third = said(&mut report(&bare, &host));
    let out = String::from_utf8(third.out).unwrap();
    assert_eq!(third.code, 3, "{}", third.err);
    assert!(out.contains("GitLab does not have its log any more"), "{out}");
    host.world().token = Some("another".to_owned());
    let refused = said(&mut report(&Bare::new(), &host));
    assert_eq!(refused.code, 5);
    assert!(
        refused.err.contains("401 Unauthorized") && refused.err.contains("GITLAB_TOKEN"),
        "{}",
        refused.err
    );
    assert!(!refused.err.contains("verysecret"), "{}", refused.err);
    let wrong = said(&mut bare.command(&["report", "--gitlab", "no-group"]));
    assert!(wrong.code == 2 && wrong.err.contains("GROUP/PROJECT"), "{}", wrong.err);
}
