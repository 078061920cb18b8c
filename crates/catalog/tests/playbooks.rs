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

const RERUN: &str = "use = \"rerun-command\"";

/// A playbook of these steps, and what comes before them.
fn small(id: &str, head: &str, steps: &str) -> (String, String) {
    let text = format!(
        "id = \"{id}\"\ntitle = \"t\"\nsince = \"0.1.0\"\nstatus = \"stable\"\nexplain = \"e\"\nheals = [\"network-timeout\"]\n\
         {head}\n{steps}"
    );
    (format!("playbooks/{id}.toml"), text)
}

const LOW: &str = "guard = { risk = \"low\", attempts = 1, cooldown = \"0s\" }";

fn load(files: &[(String, String)]) -> Result<Catalog, String> {
    let files = files.iter().map(|(file, text)| (file.as_str(), text.as_str()));
    Catalog::load(files).map_err(|e| e.to_string())
}

#[test]
fn the_steps_of_a_part_stand_in_its_place() {
    let inner = "[[step]]\nid = \"a\"\nuse = \"x\"\ntimeout = \"5s\"\ngroup = \"g\"\n\
                 [[step]]\nid = \"b\"\nuse = \"x\"\nwhen = { receipt = { step = \"a\", field = \"n\", at-least = 2 } }";
    let middle = "[[step]]\nid = \"m\"\nplaybook = \"inner\"\nwhen = { tool = [\"npm\"] }";
    let outer = "[[step]]\nid = \"first\"\nuse = \"x\"\n[[step]]\nid = \"o\"\nplaybook = \"middle\"\n\
                 when = { receipt = { step = \"first\", field = \"n\", exists = true } }\n\
                 [[step]]\nid = \"last\"\nuse = \"x\"\nwhen = { receipt = { step = \"o/m/a\", field = \"n\", equals = \"1\" } }";
    let files = [small("outer", LOW, outer), small("middle", LOW, middle), small("inner", LOW, inner)];
    let catalog = load(&files).unwrap();
    let steps = &catalog.playbook("outer").unwrap().steps;
    let said: Vec<String> = steps
        .iter()
        .map(|s| s.flow.when.as_ref().map_or_else(|| s.id.clone(), |when| format!("{} if {when}", s.id)))
        .collect();
    assert_eq!(
        said,
        [
            "first",
            "o/m/a if first says `n` and the tool is npm",
            "o/m/b if first says `n` and (the tool is npm and o/m/a says `n` of at least 2)",
            "last if o/m/a says `n` = 1",
        ]
    );
    assert_eq!(steps[1].flow.group.as_deref(), Some("o/m/g"));
    assert_eq!(steps[1].flow.timeout, Some(Duration::from_secs(5)));
    let packed: &'static [u8] = catalog.pack().unwrap().leak();
    let again = Catalog::unpack(packed).unwrap();
    assert_eq!(format!("{:?}", again.playbooks()), format!("{:?}", catalog.playbooks()));
}

#[test]
fn a_part_may_do_nothing_that_the_whole_does_not_declare() {
    let part = |id: &str| format!("[[step]]\nid = \"s\"\nplaybook = \"{id}\"");
    let plain = "[[step]]\nid = \"s\"\nuse = \"x\"";
    let high = LOW.replace("low", "high");
    for (files, want) in [
        (
            vec![small("a", LOW, &part("b")), small("b", &high, plain)],
            "its risk is low, and that of its part `b` is high",
        ),
        (
            vec![
                small("a", LOW, &part("b")),
                small("b", &format!("paths = [\"{{lockfile}}\"]\n{LOW}"), plain),
            ],
            "its part `b` may write `{lockfile}`",
        ),
        (
            vec![small("a", LOW, &part("b")), small("b", &format!("tools = [\"npm\"]\n{LOW}"), plain)],
            "its part `b` is not made for all of its tools",
        ),
        (
            vec![small("a", LOW, &part("b")), small("b", &format!("needs = [\"confirmed\"]\n{LOW}"), plain)],
            "its part `b` needs more than it does",
        ),
        (vec![small("a", LOW, &part("stars"))], "there is no playbook `stars`"),
        (vec![small("a", LOW, &part("b")), small("b", LOW, &part("a"))], "`a` is part of itself: a → b → a"),
        (
            vec![
                small("a", LOW, &part("b")),
                small("b", LOW, &part("c")),
                small("c", LOW, &part("d")),
                small("d", LOW, &part("e")),
                small("e", LOW, plain),
            ],
            "more than 3 deep: a → b → c → d",
        ),
        (
            vec![small(
                "a",
                LOW,
                "[[step]]\nid = \"x\"\nuse = \"k\"\ngroup = \"g\"\n[[step]]\nid = \"y\"\nuse = \"k\"\n\
                 [[step]]\nid = \"z\"\nuse = \"k\"\ngroup = \"g\"",
            )],
            "the steps of the group `g` do not stand side by side",
        ),
    ] {
        let said = load(&files).unwrap_err();
        assert!(said.contains(want), "{said}\nwanted {want}");
    }
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
        ("use = \"rerun-command\"", "", "what does `rerun` use?; help: add `use = \"a step kind\"`"),
        (RERUN, "playbook = \"x\"\nuse = \"y\"", "both `use` and `playbook`"),
        (RERUN, "playbook = \"x\"\nattempts = 2", "a step that is a playbook takes `when` and nothing else"),
        ("id = \"rerun\"", "id = \"../x\"", "the step's id `../x` is not kebab-case"),
        (RERUN, "use = \"x\"\ntimeout = \"0s\"", "`0s` is no time from 1s to 1h"),
        (RERUN, "use = \"x\"\nattempts = 11", "11 attempts; help: use 1 to 10"),
        (RERUN, "use = \"x\"\npause = \"1s\"", "a pause without a second attempt"),
        (RERUN, "use = \"x\"\nwhen = { any = [] }", "`all` and `any` need at least one condition"),
        (RERUN, "use = \"x\"\nwhen = { weather = \"fine\" }", "unknown variant `weather`"),
        (RERUN, "use = \"x\"\nwhen = { class = \"test-failure\" }", "not a class that may be healed"),
        (
            RERUN,
            "use = \"x\"\nwhen = { finding = { probe = \"cache\", standing = \"maybe\" } }",
            "`maybe` is no answer of a probe",
        ),
        (
            RERUN,
            "use = \"x\"\nwhen = { receipt = { step = \"reachable\", field = \"n\" } }",
            "a receipt needs one of `equals`, `at-least` and `exists`",
        ),
        (
            RERUN,
            "use = \"x\"\nwhen = { receipt = { step = \"rerun\", field = \"n\", exists = true } }",
            "`rerun` depends on `rerun`, which does not come before it",
        ),
        (RERUN, "use = \"x\"\nwith = { argv = [1] }", "`argv` holds something else than texts"),
        (RERUN, "use = \"x\"\nwith = { n = 1 }", "`n` is no text"),
        ("[guard]", "fallback = [\"stars\"]\n[guard]", "the fallback `stars` is no other playbook"),
        ("undo = \"fails\"", "undo = \"works\"", "`works` is no way for an undo to break"),
        ("undo = \"fails\"", "times = 0", "what breaks 0 times does not break"),
    ] {
        assert!(PLAYBOOK.contains(from), "{from}");
        let said = Catalog::load([(FILE, PLAYBOOK.replacen(from, to, 1).as_str())]).unwrap_err().to_string();
        assert!(said.contains(want) && said.starts_with(FILE), "{said}\nwanted {want}");
    }
}
