//! Every playbook × every step × every crash point, and what each playbook declares of itself: no playbook has a test of
//! its own.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use regreen_catalog::{Catalog, Status};
use regreen_engine::{join_playbooks, rehearse};
use regreen_saga::rehearse::Depth;

/// The counts of the soak.
fn depth() -> Depth {
    if std::env::var_os("REGREEN_LAWS_FULL").is_some() { Depth::Full } else { Depth::Quick }
}

#[tokio::test]
async fn every_playbook_keeps_the_laws_and_what_it_declares() {
    let catalog = regreen_builtin::catalog().unwrap();
    join_playbooks(&catalog, None).unwrap();
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
        let said = join_playbooks(&catalog(&text), None).unwrap_err().to_string();
        assert!(said.contains(want), "{said}\nwanted {want}");
    }
}
