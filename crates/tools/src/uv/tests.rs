//! What uv's command lines are taken for, and which indexes they use.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{collections::BTreeMap, fs};

use super::*;
use crate::workspace::Workspace;

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn what_a_command_does() {
    use CommandKind as K;
    for (text, kind, fetches) in [
        ("uv sync", K::Install, true),
        ("uv sync --offline", K::Install, false),
        ("uv --no-progress -q sync --locked", K::Install, true),
        ("/opt/bin/uv lock", K::Install, true),
        ("python3 -m uv sync", K::Install, true),
        ("uv pip install -r requirements.txt", K::Install, true),
        ("uv pip sync requirements.txt", K::Install, true),
        ("uv pip check", K::Test, false),
        ("uv pip uninstall app", K::Opaque, false),
        ("uv run pytest -q", K::Test, true),
        ("uv run --frozen --group test -- pytest", K::Test, true),
        ("uv run --with coverage -m pytest", K::Test, true),
        ("uv run python manage.py", K::Opaque, false),
        ("uv run --unheard-of pytest", K::Opaque, false),
        ("uvx ruff@0.14 check", K::Test, true),
        ("uv tool run --from nox nox", K::Test, true),
        ("uvx twine upload dist/a.whl", K::Deploy, false),
        ("uv build", K::Build, true),
        ("uv publish", K::Deploy, false),
        ("uv --unheard-of sync", K::Opaque, false),
        ("uv cache clean", K::Opaque, false),
        ("uv", K::Opaque, false),
    ] {
        let facts = Uv.recognise(&words(text)).unwrap();
        assert_eq!((facts.kind, facts.fetches), (kind, fetches), "{text}");
    }
    assert_eq!(Uv.recognise(&words("python3 -m pip install app")), None);
}

#[test]
fn only_pinned_requirements_may_come_from_a_mirror() {
    for (text, frozen) in [
        ("uv pip sync requirements.txt", true),
        ("uv pip install -r requirements.txt", true),
        ("uv pip install -r requirements.txt app", false),
        ("uv pip sync --index-url", false),
        ("uv --no-config pip sync requirements.txt", false),
        ("uv sync --frozen", false),
    ] {
        assert_eq!(Uv.is_frozen(&words(text)), frozen, "{text}");
    }
}

struct Place(tempfile::TempDir);

impl Place {
    fn job(&self, argv: &str, env: &[(&str, &str)]) -> Job {
        let env: BTreeMap<_, _> = env.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Job { workspace: Workspace::new(self.0.path().to_owned(), env), argv: words(argv) }
    }

    fn indexes(&self, argv: &str, env: &[(&str, &str)]) -> Vec<String> {
        let job = self.job(argv, env);
        config::indexes(&job, &asked(&job.argv).unwrap())
    }
}

#[test]
fn indexes_come_from_where_uv_takes_them() {
    let place = Place(tempfile::tempdir().unwrap());
    fs::write(
        place.0.path().join("pyproject.toml"),
        "[[tool.uv.index]]\nurl = 'https://extra.example/simple'\n\
         [[tool.uv.index]]\nurl = 'https://own.example/simple'\ndefault = true\n",
    )
    .unwrap();
    assert_eq!(place.indexes("uv sync", &[]), ["https://own.example/simple", "https://extra.example/simple"]);
    assert_eq!(
        place.indexes(
            "uv sync",
            &[
                ("UV_DEFAULT_INDEX", "https://env.example/"),
                ("UV_INDEX", "a=https://a.example/ https://b.example/")
            ]
        ),
        ["https://env.example/", "https://a.example/", "https://b.example/", "https://extra.example/simple"]
    );
    let argv = "uv sync --default-index https://arg.example/ --index one=https://one.example/?a=b";
    assert_eq!(
        place.indexes(argv, &[("UV_DEFAULT_INDEX", "https://env.example/")]),
        ["https://arg.example/", "https://one.example/?a=b", "https://extra.example/simple"]
    );
    assert_eq!(place.indexes("uv --no-config sync", &[]), [python::PYPI]);
    fs::write(place.0.path().join("uv.toml"), "index-url = 'https://file.example/'\n").unwrap();
    assert_eq!(place.indexes("uv sync", &[]), ["https://file.example/"]);
    // What the program is given that uv runs is not uv's.
    assert_eq!(
        place.indexes("uv run pytest --default-index https://arg.example/", &[]),
        ["https://file.example/"]
    );
}

#[test]
fn the_lockfile_is_the_one_that_the_command_uses() {
    let place = Place(tempfile::tempdir().unwrap());
    for (argv, env, path) in [
        ("uv sync", &[][..], Some("uv.lock")),
        ("uv run pytest", &[], Some("uv.lock")),
        ("uv sync --project sub", &[], Some("sub/uv.lock")),
        ("uv --directory=./sub sync", &[], Some("sub/uv.lock")),
        ("uv sync", &[("UV_PROJECT", "sub/")], Some("sub/uv.lock")),
        ("uv sync --directory /elsewhere", &[], None),
        ("uv sync --directory ../elsewhere", &[], None),
        ("uv pip sync ./requirements.txt", &[], Some("requirements.txt")),
        ("uv pip install -r dev.txt", &[], Some("dev.txt")),
        ("uv pip install app", &[], None),
        ("uvx ruff check", &[], None),
        ("uv publish", &[], None),
    ] {
        let job = place.job(argv, env);
        let found = Uv.lockfile(&job).map(|l| l.path.to_string());
        assert_eq!(found.as_deref(), path, "{argv}");
        let resolver = Uv.resolver_for(&job).is_some();
        assert_eq!(resolver, path == Some("uv.lock"), "{argv}");
    }
}

#[test]
fn the_check_asks_for_what_the_command_made() {
    let place = Place(tempfile::tempdir().unwrap());
    for (argv, check) in [
        ("uv sync --locked --group ci", Some("uv sync --locked --group ci --check")),
        ("uv sync --dry-run", None),
        ("uv lock", Some("uv lock --check")),
        ("uv -q pip sync --python .venv requirements.txt", Some("uv -q pip check --python .venv")),
        ("uv pip install --target lib -r requirements.txt", None),
        ("uv run pytest", None),
    ] {
        let found = Uv.consistency_check(&place.job(argv, &[])).map(|c| c.join(" "));
        assert_eq!(found.as_deref(), check, "{argv}");
    }
}
