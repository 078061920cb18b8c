//! Playbook files: a realistic one is read as meant, and each kind of mistake is told.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::time::Duration;

use regreen_catalog::{Catalog, Filling, Need, Part};
use regreen_domain::{HealableClass, Host, Outcome, Refusal, Risk, Tool};

const FILE: &str = "playbooks/rerun-after-loss.toml";

const PLAYBOOK: &str = r#"id = "rerun-after-loss"
title = "Wait until the remote answers, then run the command once more"
since = "0.1.0"
status = "stable"
explain = "The remote was out of reach. Once it answers, the same command can pass."
heals = ["network-timeout", "service-unavailable"]
tools = ["npm", "cargo"]
needs = ["confirmed"]
paths = ["node_modules", "{lockfile}", "cache:{tool}"]

[guard]
risk = "low"
attempts = 2
cooldown = "10m"

[[step]]
id = "reachable"
use = "wait-until-reachable"
with = { url = "https://{evidence.host}/", tool = "{tool}" }

[[step]]
id = "rerun"
use = "rerun-command"

[[example]]
name = "first loss on a commit"
given = { class = "network-timeout", tool = "npm", confidence = 0.9, confirmed = true, attempts = 0 }
expect = { decision = "heal" }

[[example]]
name = "nobody saw it"
given = { class = "network-timeout", confidence = 0.9, confirmed = false, attempts = 0 }
expect = { decision = "suggest", because = "not-confirmed" }

[[rehearsal]]
name = "the command cannot be repeated"
break = { step = "rerun", how = "unknown", undo = "fails" }
expect = { outcome = "stuck", undone = ["reachable"], needs-human = true }
"#;

#[test]
fn a_realistic_playbook_is_read_as_meant() {
    let catalog = Catalog::load([(FILE, PLAYBOOK)]).unwrap();
    let playbook = catalog.playbook("rerun-after-loss").unwrap();
    assert_eq!(playbook.heals, [HealableClass::NetworkTimeout, HealableClass::ServiceUnavailable]);
    assert_eq!(playbook.needs, [Need::Confirmed]);
    assert_eq!((playbook.guard.risk, playbook.guard.attempts), (Risk::Low, 2));
    assert_eq!(playbook.guard.cooldown, Duration::from_secs(600));
    let [reachable, rerun] = playbook.steps.as_slice() else { panic!("two steps") };
    assert_eq!((reachable.kind.as_str(), rerun.with.len()), ("wait-until-reachable", 0));
    assert_eq!(reachable.with["tool"].parts(), [Part::Tool]);
    let host = Host::parse("registry.example").unwrap();
    let tool = Tool::new("npm").unwrap();
    let filling = Filling { host: Some(&host), tool: Some(&tool), package: None };
    assert_eq!(reachable.with["url"].fill(&filling).unwrap(), "https://registry.example/");
    assert_eq!(playbook.examples[1].expect.because, Some(Refusal::NotConfirmed));
    assert_eq!(playbook.rehearsals[0].expect.outcome, Outcome::Stuck);
}

#[test]
fn each_kind_of_mistake_is_told() {
    for (from, to, want) in [
        (
            "\"network-timeout\", \"service",
            "\"test-failure\", \"service",
            "`test-failure` is not a class that may be healed",
        ),
        ("\"low\"", "\"none\"", "`none` is no risk; help: use low, medium or high"),
        ("attempts = 2", "attempts = 0", "0 attempts; help: use 1 to 10"),
        ("\"10m\"", "\"soon\"", "`soon` is no duration"),
        ("{evidence.host}", "{evidence.url}", "`{evidence.url}` is no hole; help: the holes are {tool}"),
        ("\"cache:{tool}\"", "\"../x\"", "`../x` is no path that a playbook may declare"),
        ("\"cache:{tool}\"", "\"{home}\"", "`{home}` is no path that a playbook may declare"),
        ("\"cache:{tool}\"", "\"/etc\"", "`/etc` is no path that a playbook may declare"),
        ("id = \"rerun\"", "id = \"reachable\"", "two steps are called `reachable`"),
        ("step = \"rerun\"", "step = \"rest\"", "the playbook has no step `rest`"),
        ("how = \"unknown\"", "how = \"badly\"", "`badly` is no way to break"),
        ("\"stuck\"", "\"fine\"", "`fine` is no outcome"),
        ("\"heal\"", "\"pray\"", "`pray` is no decision"),
        ("\"not-confirmed\"", "\"tired\"", "`tired` is no reason to refuse"),
        (
            "confidence = 0.9, confirmed = true",
            "confidence = 9.0, confirmed = true",
            "a confidence outside of 0 to 1",
        ),
        ("[\"confirmed\"]", "[\"luck\"]", "unknown variant `luck`"),
        ("use = \"rerun-command\"", "", "missing field `use`"),
    ] {
        assert!(PLAYBOOK.contains(from), "{from}");
        let said = Catalog::load([(FILE, PLAYBOOK.replacen(from, to, 1).as_str())]).unwrap_err().to_string();
        assert!(said.contains(want) && said.starts_with(FILE), "{said}\nwanted {want}");
    }
}
