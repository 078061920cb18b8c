//! `regreen report --github`: the real program against the stand-in for GitHub.

use std::process::Command;

use regreen_lab::forge::{GitHub, Trouble, What};

use crate::{said::Bare, support::stage::said};

const NAME: &str = "octo-org/hello";

fn host() -> GitHub {
    let host = GitHub::start().unwrap();
    let mut world = host.world();
    world.add(NAME, &[]);
    for minute in [2, 5] {
        let log = format!(
            "2026-11-01T12:00:00.0000000Z ##[group]Run make\n\
             2026-11-01T12:00:01.0000000Z curl: (60) SSL certificate problem: certificate has expired\n\
             2026-11-01T12:{minute:02}:00.0000000Z ##[error]Process completed with exit code 60.\n"
        );
        world.add_failed(NAME, log.as_bytes());
    }
    world.add_failed(NAME, b"gcc -c a.c\na.c:3:9: error: expected expression\nmake: *** [a.o] Error 1\n");
    drop(world);
    host
}

fn report(bare: &Bare, host: &GitHub) -> Command {
    let mut command = bare.command(&["report", "--github", NAME, "--since", "7d", "--api-url", &host.url()]);
    command.env("GITHUB_TOKEN", "ghp_verysecretverysecretverysecret000");
    command
}

#[test]
fn what_was_read_is_not_fetched_again_and_only_read() {
    let (bare, host) = (Bare::new(), host());
    host.world().token = Some("ghp_verysecretverysecretverysecret000".to_owned());
    let first = said(&mut report(&bare, &host));
    let out = String::from_utf8(first.out).unwrap();
    assert_eq!((first.code, first.err.as_str()), (0, ""));
    assert!(out.starts_with("3 logs: 3 failed, 0 passed\n"), "{out}");
    assert!(out.contains("2 × a program does not trust a server"), "{out}");
    assert!(out.contains("trust-failure"), "{out}");
    let logs = || host.world().count("GET", "/logs");
    assert_eq!((logs(), host.world().calls.iter().filter(|c| c.method != "GET").count()), (3, 0));
    // One more failed since; of the others nothing is fetched.
    host.world().add_failed(NAME, b"a.c:3:9: error: expected expression\nmake: *** [a.o] Error 1\n");
    let again = said(&mut report(&bare, &host));
    let again = String::from_utf8(again.out).unwrap();
    assert!(again.starts_with("4 logs: 4 failed"), "{again}");
    assert_eq!(logs(), 4);
    let folders = std::fs::read_dir(bare.base().join("state/regreen")).unwrap();
    let kept: Vec<String> = folders
        .map(|folder| std::fs::read_to_string(folder.unwrap().path().join("report.jsonl")).unwrap())
        .collect();
    assert!(kept.len() == 1 && kept[0].lines().count() == 9 && !kept[0].contains("verysecret"), "{kept:?}");
}

#[test]
fn a_limit_stops_it_with_what_was_read_and_it_goes_on_there() {
    let (bare, host) = (Bare::new(), host());
    // The listing, the repository, jobs and log of one run, jobs of the next.
    host.world().quota.remaining = 1005;
    let stopped = said(&mut report(&bare, &host));
    let out = String::from_utf8(stopped.out).unwrap();
    assert_eq!(stopped.code, 5, "{}", stopped.err);
    assert!(out.starts_with("1 log: 1 failed"), "{out}");
    assert!(
        stopped.err.contains("for others") && stopped.err.contains("run the same command again after"),
        "{}",
        stopped.err
    );
    host.world().quota.remaining = 5000;
    let done = said(&mut report(&bare, &host));
    let out = String::from_utf8(done.out).unwrap();
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(out.starts_with("3 logs: 3 failed"), "{out}");
}

#[test]
fn what_is_gone_is_named_and_what_is_refused_is_said() {
    let (bare, host) = (Bare::new(), host());
    host.world().repositories.get_mut(NAME).unwrap().runs[0].jobs[0].log = None;
    host.world().troubles.push(Trouble::once("GET", "/attempts/", What::Status(502)));
    let gone = said(&mut report(&bare, &host));
    let out = String::from_utf8(gone.out).unwrap();
    assert_eq!(gone.code, 3, "{}", gone.err);
    assert!(out.starts_with("2 logs: 2 failed, 0 passed; 1 could not be read"), "{out}");
    assert!(out.contains("GitHub does not have its log any more"), "{out}");
    let bare = Bare::new();
    host.world().token = Some("another".to_owned());
    let refused = said(&mut report(&bare, &host));
    assert_eq!(refused.code, 5);
    assert!(
        refused.err.contains("Bad credentials") && !refused.err.contains("verysecret"),
        "{}",
        refused.err
    );
    let wrong = said(&mut bare.command(&["report", "--github", "no-owner"]));
    assert_eq!(wrong.code, 2, "{}", wrong.err);
}
