//! `regreen explain CODE`: what a class, pattern, playbook, step kind, probe, reason or exit code means.

use std::collections::BTreeSet;

use regreen_catalog::Catalog;
use regreen_domain::{Confidence, FailureClass, InfraClass, Outcome, Refusal};
use regreen_lockfile::Rule;
use regreen_saga::KindFacts;
use regreen_show::{Named, advice};
use regreen_steps::kind_facts;

use crate::{
    context::{Context, catalog},
    custom,
    exit::{Failed, MEANINGS, USAGE},
    output::print::print,
};

/// Explains it.
pub fn explain(context: &Context, code: &str) -> Result<u8, Failed> {
    let catalog = catalog()?;
    let mut said = answers(&catalog, code);
    if said.is_empty() {
        said.extend(pattern(&custom::known_here(context, None, None)?.catalog, code));
    }
    if said.is_empty() { Err(unknown(&catalog, code)) } else { print(&said.join("\n")) }
}

/// What a catalogue, and Regreen itself, say of a code.
///
/// # Errors
/// Where nothing is called so.
pub fn said(catalog: &Catalog, code: &str) -> Result<String, Failed> {
    let said = answers(catalog, code);
    if said.is_empty() { Err(unknown(catalog, code)) } else { Ok(said.join("\n")) }
}

/// Everything that has this id: a playbook and its step kind may share one.
fn answers(catalog: &Catalog, code: &str) -> Vec<String> {
    [exit_code(code), class(catalog, code), refusal(code), pattern(catalog, code), playbook(catalog, code)]
        .into_iter()
        .chain([step(code), probe(catalog, code), outcome(code), rule(code)])
        .flatten()
        .collect()
}

fn exit_code(code: &str) -> Option<String> {
    let number: u8 = code.parse().ok()?;
    let (_, meaning) = MEANINGS.iter().find(|(n, _)| *n == number)?;
    Some(format!("exit code {number}: {meaning}\n"))
}

fn refusal(code: &str) -> Option<String> {
    Refusal::parse(code).map(|refusal| format!("{code} (reason): {}\n", refusal.explain()))
}

fn pattern(catalog: &Catalog, code: &str) -> Option<String> {
    let p = catalog.pattern(code)?;
    let (class, title, explain, fix) = (p.class, &p.title, p.explain.trim(), p.fix.trim());
    Some(format!(
        "{code} (pattern of {class}): {title}\n\n{explain}\n\nWhat to do: {fix}\n\nMore: regreen patterns show {code}\n"
    ))
}

fn playbook(catalog: &Catalog, code: &str) -> Option<String> {
    let p = catalog.playbook(code)?;
    Some(format!(
        "{code} (playbook): {}\n\n{}\n\nMore: regreen playbooks show {code}\n",
        p.title,
        p.explain.trim()
    ))
}

fn step(code: &str) -> Option<String> {
    let KindFacts { kind, explain, .. } = kind_facts().into_iter().find(|facts| facts.kind == code)?;
    Some(format!("{kind} (step kind): {explain}\n"))
}

fn probe(catalog: &Catalog, code: &str) -> Option<String> {
    let probe = catalog.probes().iter().find(|probe| probe.id == code)?;
    let c = probe.measured.counts();
    let measured = match c.hits {
        0 => "nothing is measured of it yet, so it confirms but raises no confidence".to_owned(),
        _ => {
            format!("{} right of {}, in {} logs: confidence {}", c.right, c.hits, c.n, Confidence::wilson(c))
        }
    };
    Some(format!("{code} (probe): looks at {}\nMeasured: {measured}.\n", probe.title))
}

fn rule(code: &str) -> Option<String> {
    let rule = Rule::parse(code)?;
    let explain = rule.explain().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    Some(format!("{code} (lockfile rule, {}): {}\n\n{explain}\n", rule.severity().id(), rule.title()))
}

fn outcome(code: &str) -> Option<String> {
    let what = match Outcome::parse(code)? {
        Outcome::Healed => "every factor of the verification held, and the command ran green",
        Outcome::RolledBack => "it was tried, did not hold, and what Regreen wrote is as before",
        Outcome::Stuck => "something could not be put back; a person must look, and nothing is retried",
        Outcome::Suggested => "the cure was said, not done",
        Outcome::AwaitingApproval => "the mode is approve: `regreen approve` or `regreen deny` decides",
        Outcome::LeftAlone => "it was diagnosed, and nothing was done",
        Outcome::HandedOver => "a person agreed, and a later incident carried it out",
    };
    Some(format!("{code} (outcome): {what}\n"))
}

fn class(catalog: &Catalog, code: &str) -> Option<String> {
    let class = FailureClass::parse(code)?;
    let kind = match class {
        FailureClass::Infra(InfraClass::Healable(_)) => "infrastructure; a playbook may heal it",
        FailureClass::Infra(InfraClass::Advise(_)) => {
            "infrastructure; Regreen gives advice and changes nothing"
        }
        FailureClass::Code(_) => "the project's own; never healed",
        FailureClass::Unknown => "not diagnosed; never acted on",
    };
    let mut text = format!("{code} (class): {}\nIt is {kind}.\n", class.explain());
    let patterns = catalog.patterns().iter().filter(|p| p.class == class).count();
    if patterns > 0 {
        text.push_str(&format!("Patterns: {patterns} (see `regreen patterns list`).\n"));
    }
    let playbooks: Vec<&str> = catalog
        .playbooks()
        .iter()
        .filter(|p| class.healable().is_some_and(|class| p.heals.contains(&class)))
        .map(|p| p.id.as_str())
        .collect();
    if !playbooks.is_empty() {
        text.push_str(&format!("Playbooks: {}.\n", playbooks.join(", ")));
    }
    if let Some(advice) = advice(class, &Named::default()) {
        text.push_str("\nWhat to look at, in this order:\n");
        for (i, check) in advice.checks.iter().enumerate() {
            text.push_str(&format!("  {}. {check}\n", i + 1));
        }
        text.push_str(&format!("Whom to ask: {}.\n", advice.who));
    }
    Some(text)
}

fn unknown(catalog: &Catalog, code: &str) -> Failed {
    let known: BTreeSet<&str> = catalog
        .patterns()
        .iter()
        .map(|p| p.id.as_str())
        .chain(catalog.playbooks().iter().map(|p| p.id.as_str()))
        .chain(catalog.probes().iter().map(|p| p.id.as_str()))
        .chain(kind_facts().into_iter().map(|facts| facts.kind))
        .chain(Refusal::ALL.iter().map(|r| r.id()))
        .chain(FailureClass::ALL.map(FailureClass::id))
        .chain(Rule::ALL.iter().map(|r| r.id()))
        .collect();
    let near: Vec<&str> = known
        .into_iter()
        .filter(|id| !code.is_empty() && (id.contains(code) || code.contains(*id)))
        .take(5)
        .collect();
    let what = format!(
        "`{code}` is no class, pattern, playbook, step kind, probe, reason, outcome, lockfile rule or exit code"
    );
    let help = if near.is_empty() {
        let classes = FailureClass::ALL.map(FailureClass::id).join(", ");
        format!("`regreen patterns list` and `regreen playbooks list` show ids; the classes are {classes}")
    } else {
        format!("did you mean: {}", near.join(", "))
    };
    Failed::new(USAGE, what).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_with_an_id_is_explained() {
        let catalog = regreen_builtin::catalog().unwrap();
        let ids = FailureClass::ALL
            .map(FailureClass::id)
            .into_iter()
            .chain(Refusal::ALL.iter().map(|r| r.id()))
            .chain(Outcome::ALL.map(Outcome::id))
            .chain(catalog.patterns().iter().map(|p| p.id.as_str()))
            .chain(catalog.playbooks().iter().map(|p| p.id.as_str()))
            .chain(regreen_tools::probe::IDS)
            .chain(kind_facts().into_iter().map(|facts| facts.kind))
            .chain(Rule::ALL.iter().map(|r| r.id()))
            .map(str::to_owned)
            .chain(MEANINGS.iter().map(|(code, _)| code.to_string()));
        for id in ids {
            let said = answers(&catalog, &id).join("");
            assert!(said.len() > id.len() + 20, "{id}: {said}");
        }
    }
}
