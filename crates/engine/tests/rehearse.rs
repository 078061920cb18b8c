//! Every playbook × every step × every crash point, and what each playbook declares of itself: no playbook has a test of
//! its own.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use regreen_catalog::{Catalog, Status};
use regreen_engine::{check_own_playbook, join_playbooks, rehearse, replay};
use regreen_ledger::Incident;
use regreen_saga::rehearse::Depth;

/// The counts of the soak.
fn depth() -> Depth {
    if std::env::var_os("REGREEN_LAWS_FULL").is_some() { Depth::Full } else { Depth::Quick }
}

#[tokio::test]
async fn every_playbook_keeps_the_laws_and_what_it_declares() {
    let catalog = regreen_builtin::catalog().unwrap();
    join_playbooks(&catalog, None, false).unwrap();
    let mut broken = Vec::new();
    for playbook in catalog.playbooks() {
        let all = rehearse(&catalog, playbook, depth()).await.unwrap();
        broken.extend(all.into_iter().filter(|one| one.problem.is_some()));
        if playbook.status == Status::Stable {
            assert!(!playbook.examples.is_empty(), "{} declares no decision", playbook.id);
            assert!(!playbook.rehearsals.is_empty(), "{} declares no rehearsal", playbook.id);
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// A playbook that says everything that a flow can say.
const WINDING: &str = r#"
id = "winding"
title = "Winds"
since = "0.1.0"
status = "stable"
explain = "For the test."
heals = ["cache-corruption"]
tools = ["npm"]
needs = ["confirmed"]
paths = ["{lockfile}"]
fallback = ["other"]

[guard]
risk = "medium"
attempts = 3
cooldown = "0s"

[[step]]
id = "reachable"
use = "wait-until-reachable"
with = { tool = "{tool}" }
timeout = "30s"
attempts = 3
pause = "1s"
group = "looks"

[[step]]
id = "shared"
use = "repaired-by-another"
group = "looks"

[[step]]
id = "rest"
playbook = "other"
when = { receipt = { step = "reachable", field = "asked", at-least = 2 } }

[[step]]
id = "lock"
use = "repair-lockfile"
with = { tool = "{tool}" }
when = { all = [{ finding = { probe = "lockfile", standing = "confirms" } }, { not = { tool = ["cargo"] } }] }

[[example]]
name = "it heals"
given = { class = "cache-corruption", tool = "npm", confidence = 0.95, confirmed = true, attempts = 0 }
expect = { decision = "heal" }

[[rehearsal]]
name = "it answers the third time"
break = { step = "reachable", how = "unknown", times = 2 }
expect = { outcome = "healed", undone = ["reachable", "reachable"] }

[[rehearsal]]
name = "the part breaks"
break = { step = "rest/quarantine", how = "no-effect" }
expect = { outcome = "rolled-back", undone = ["shared", "reachable"] }
"#;

const OTHER: &str = r#"
id = "other"
title = "Part"
since = "0.1.0"
status = "stable"
explain = "For the test."
heals = ["cache-corruption"]
tools = ["npm"]

[guard]
risk = "medium"
attempts = 3
cooldown = "0s"

[[step]]
id = "quarantine"
use = "quarantine-entries"
with = { tool = "{tool}" }
"#;

fn catalog(winding: &str) -> Catalog {
    Catalog::load([("playbooks/winding.toml", winding), ("playbooks/other.toml", OTHER)]).unwrap()
}

async fn problems(winding: &str) -> Vec<String> {
    let catalog = catalog(winding);
    let all = rehearse(&catalog, catalog.playbook("winding").unwrap(), depth()).await.unwrap();
    all.into_iter().filter_map(|one| Some(format!("{}: {}", one.name, one.problem?))).collect()
}

#[tokio::test]
async fn conditions_tries_groups_and_parts_keep_the_laws() {
    assert_eq!(problems(WINDING).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_playbook_declares_wrongly_is_said() {
    let wrong = WINDING
        .replace("decision = \"heal\"", "decision = \"suggest\"")
        .replace("undone = [\"shared\", \"reachable\"]", "undone = []");
    assert_eq!(
        problems(&wrong).await,
        [
            "it heals: decided: heal; expected: suggest",
            "the part breaks: left: rolled-back, undone: shared, reachable (rest/quarantine: refused); \
             expected: rolled-back, undone: nothing",
        ]
    );
}

#[test]
fn what_a_kind_does_not_allow_is_said_at_the_start() {
    for (from, to, want) in [
        ("repaired-by-another\"", "prayer\"", "step `shared` is of the unknown kind `prayer`"),
        (
            "use = \"repair-lockfile\"",
            "use = \"use-mirror\"\ngroup = \"g\"",
            "`use-mirror` does not run beside others",
        ),
        (
            "use = \"repair-lockfile\"\nwith = { tool = \"{tool}\" }",
            "use = \"rerun-command\"\nattempts = 2",
            "`rerun-command` must not be repeated",
        ),
        (
            "use = \"repair-lockfile\"\nwith = { tool = \"{tool}\" }",
            "use = \"rerun-command\"\ntimeout = \"30s\"",
            "`rerun-command` can't be stopped in the middle",
        ),
        (
            "probe = \"lockfile\"",
            "probe = \"stars\"",
            "asks the unknown probe `stars`; there are: cache, checksum",
        ),
        (
            "{ not = { tool = [\"cargo\"] } }",
            "{ pattern = \"stars\" }",
            "asks for the unknown pattern `stars`",
        ),
        (
            "use = \"repaired-by-another\"",
            "use = \"repaired-by-another\"\nwith = { a = [\"b\"] }",
            "unknown field `a`",
        ),
    ] {
        let text = WINDING.replacen(from, to, 1);
        assert_ne!(text, WINDING, "{from}");
        let said = join_playbooks(&catalog(&text), None, false).unwrap_err().to_string();
        assert!(said.contains(want), "{said}\nwanted {want}");
    }
}

/// An operator's playbook of one command.
fn own(risk: &str, undo: &str, more: &str) -> (String, String) {
    let text = format!(
        "id = \"own\"\ntitle = \"t\"\nsince = \"0.1.0\"\nstatus = \"stable\"\nexplain = \"e\"\n\
         heals = [\"network-timeout\"]\nguard = {{ risk = \"{risk}\", attempts = 1, cooldown = \"0s\" }}\n\
         [[step]]\nid = \"c\"\nuse = \"command\"\nwith = {{ argv = [\"touch\", \"{{tool}}\"]{undo} }}\n{more}"
    );
    ("/etc/regreen/playbooks/own.toml".to_owned(), text)
}

const WRITES: &str = "[[step]]\nid = \"w\"\nuse = \"repair-lockfile\"\nwith = { tool = \"{tool}\" }\n";

#[test]
fn an_operator_s_playbook_is_checked_as_the_built_in_ones_and_may_hold_commands() {
    let built_in = regreen_builtin::catalog().unwrap();
    let with = |files: &[(String, String)], commands: bool| {
        built_in
            .with_own_playbooks(files, &|catalog, playbook| check_own_playbook(catalog, playbook, commands))
    };
    let undo = ", undo = [\"rm\"]";
    let good = with(&[own("low", undo, "")], true);
    assert!(good.refused.is_empty(), "{:?}", good.refused);
    // It comes first, and its words are fixed: a hole in a list is no hole.
    let first = join_playbooks(&good.catalog, None, true).unwrap().swap_remove(0);
    assert_eq!((first.id.as_str(), first.steps[0].lists["argv"][1].as_str()), ("own", "{tool}"));
    assert!(join_playbooks(&good.catalog, None, false).is_err(), "whatever let it in, it needs leave");
    let part = "[[step]]\nid = \"p\"\nplaybook = \"repair-lockfile\"\n";
    let broken = with(&[("x.toml".to_owned(), "id = ".to_owned()), own("low", undo, "")], true);
    assert_eq!((broken.refused.len(), broken.catalog.playbooks()[0].id.as_str()), (1, "own"));
    for (file, commands, want) in [
        (own("low", undo, ""), false, "the operator's configuration must say `allow-commands = true`"),
        (own("medium", "", ""), true, "is a command without `undo`, so the playbook's risk is high"),
        (own("low", undo, "attempts = 2"), true, "`command` must not be repeated"),
        (own("low", undo, WRITES), true, "writes the lockfile; declare `{lockfile}` in `paths`"),
        (own("low", undo, part), true, "its risk is low, and that of its part `repair-lockfile` is medium"),
    ] {
        let left_out = with(&[file], commands);
        let said = left_out.refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(said.contains(want) && said.starts_with("/etc/regreen"), "{said}\nwanted {want}");
        assert_eq!(left_out.catalog.playbooks().len(), built_in.playbooks().len());
    }
    let mut taken = own("low", undo, "");
    taken.0 = "/etc/repair-lockfile.toml".to_owned();
    taken.1 = taken.1.replacen("\"own\"", "\"repair-lockfile\"", 1);
    assert!(with(&[taken], true).refused[0].what.contains("the id `repair-lockfile` is taken"));
    // The program's own can't hold one.
    let (_, text) = own("low", undo, "");
    let catalog = Catalog::load([("playbooks/own.toml", text.as_str())]).unwrap();
    let said = join_playbooks(&catalog, None, true).unwrap_err().to_string();
    assert!(said.contains("only an operator's own playbook may hold"), "{said}");
}

#[test]
fn a_decision_of_an_older_version_is_made_again_the_same() {
    let stored = include_str!("../../ledger/tests/data/incident-v2.json");
    let incident = serde_json::from_str::<Incident>(stored).unwrap();
    let replayed = replay(&incident, &regreen_builtin::catalog().unwrap()).unwrap();
    assert_eq!(replayed.differences(), []);
}
