//! `regreen cache forget`: the real program against the stand-ins for GitHub and GitLab.

use std::process::Command;

use regreen_lab::forge::{Cache, GitHub, gitlab};

use crate::{said::Bare, support::stage::said};

const NAME: &str = "octo/shop";
const MAIN: &str = "refs/heads/main";

fn run(command: &mut Command) -> (u8, String, String) {
    let said = said(command);
    (u8::try_from(said.code).unwrap(), String::from_utf8(said.out).unwrap(), said.err)
}

#[test]
fn caches_of_exactly_a_key_and_ref_are_deleted_at_github() {
    let (bare, host) = (Bare::new(), GitHub::start().unwrap());
    let cache = |id, key: &str, reference: &str| Cache {
        id,
        key: key.to_owned(),
        reference: reference.to_owned(),
        bytes: 2048,
    };
    host.world().add(NAME, &[]).caches =
        vec![cache(1, "npm-a", MAIN), cache(2, "npm-a", "refs/pull/7/merge"), cache(3, "npm-ab", MAIN)];
    let left = || host.world().repositories[NAME].caches.iter().map(|cache| cache.id).collect::<Vec<_>>();
    let forget = |more: &[&str]| {
        let mut command = bare.command(&["cache", "forget", "--github", NAME, "--api-url", &host.url()]);
        run(command.args(more).env("GITHUB_TOKEN", "ghp_verysecretverysecret"))
    };
    let (code, out, err) = forget(&["--key", "npm-a", "--dry-run"]);
    assert_eq!((code, left()), (0, vec![1, 2, 3]), "{err}");
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(out.starts_with("refs/heads/main: would delete 1, "), "{out}");
    let (code, out, err) = forget(&["--key", "npm-a", "--ref", MAIN]);
    assert_eq!((code, left()), (0, vec![2, 3]), "{err}");
    assert!(out.starts_with("refs/heads/main: deleted 1, "), "{out}");
    assert_eq!((forget(&["--key", "npm-a"]).0, left()), (0, vec![3]));
    // What was done is on record, in order, and nothing of the dry run; and no secret.
    let file = bare.base().join("export");
    assert_eq!(run(bare.command(&["state", "export"]).arg(&file)).0, 0);
    let said = std::fs::read_to_string(&file).unwrap();
    let kinds = ["cache-forgetting-asked", "cache-forgetting-ended"].repeat(2);
    let on_record: Vec<&str> = said.lines().filter(|line| line.contains("cache-forgetting")).collect();
    assert_eq!(on_record.len(), 4, "{said}");
    for (line, kind) in on_record.iter().zip(kinds) {
        assert!(line.contains(kind) && line.contains("key npm-a of refs/"), "{line}");
    }
    assert!(on_record[1].contains("deleted 1") && !said.contains("verysecret"), "{said}");
    // Nothing is the beginning of something, and nothing is everything.
    assert_eq!((forget(&["--key", "npm-"]).0, left()), (3, vec![3]));
    for more in [
        &[][..],
        &["--key", ""],
        &["--key", " "],
        &["--key", "npm-ab", "--ref", "main"],
        &["--key", "npm-ab", "--ref", ""],
    ] {
        assert_eq!((forget(more).0, left()), (2, vec![3]), "{more:?}");
    }
    // A kill switch that is thrown holds here too.
    assert_eq!(run(&mut bare.command(&["pause", "--reason", "no"])).0, 0);
    let (code, _, err) = forget(&["--key", "npm-ab"]);
    assert_eq!((code, left()), (14, vec![3]), "{err}");
    assert!(err.contains("regreen unpause"), "{err}");
}

#[test]
fn a_cache_keys_number_is_counted_up_at_gitlab() {
    let (bare, host) = (Bare::new(), gitlab::GitLab::start().unwrap());
    let forget = |more: &[&str]| {
        let mut command = bare.command(&["cache", "forget", "--gitlab", NAME, "--gitlab-url", &host.url()]);
        run(command.args(more).env("GITLAB_TOKEN", "glpat-verysecretverysecret00"))
    };
    let secret = gitlab::Variable { masked: true, ..gitlab::Variable::plain("HIDDEN", "8675309") };
    host.world().add(NAME, &[]).variables = vec![gitlab::Variable::plain("CACHE_VERSION", "7"), secret];
    let value = || host.world().projects[NAME].variables[0].value.clone();
    let done = forget(&["--variable", "CACHE_VERSION", "--dry-run"]);
    assert_eq!((done, &*value()), ((0, "CACHE_VERSION: 7, would be 8\n".to_owned(), String::new()), "7"));
    let done = forget(&["--variable", "CACHE_VERSION"]);
    assert_eq!((done, &*value()), ((0, "CACHE_VERSION: 7 → 8\n".to_owned(), String::new()), "8"));
    let (code, out, err) = forget(&["--variable", "HIDDEN"]);
    assert_eq!((code, out.as_str()), (14, ""), "{err}");
    assert!(err.contains("it is masked") && !err.contains("8675309"), "{err}");
    assert_eq!(forget(&["--variable", "CACHE_VERSION", "--protected"]).0, 14);
    assert_eq!(forget(&["--variable", "ABSENT"]).0, 3);
    assert_eq!((forget(&[]).0, forget(&["--variable", ""]).0, &*value()), (2, 2, "8"));
}
