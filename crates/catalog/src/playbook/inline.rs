//! Playbooks that name others: the steps of a sub-playbook take the place of the step that names it.

use regreen_domain::Condition;

use super::{Playbook, PlaybookStep};
use crate::{CatalogError, Status};

/// Most playbooks within each other, the outermost not counted.
const DEEPEST: usize = 3;

/// Puts the steps of sub-playbooks in their places, and checks what playbooks say of each other and of their steps.
///
/// # Errors
/// The first playbook that does not add up.
pub(crate) fn inline(playbooks: &mut [Playbook]) -> Result<(), CatalogError> {
    let all = playbooks.to_vec();
    for playbook in playbooks.iter_mut() {
        playbook.steps = expand(playbook, &all, &[&playbook.id.clone()])?;
        check(playbook, &all)?;
    }
    Ok(())
}

fn wrong(playbook: &Playbook, what: String, help: &str) -> CatalogError {
    CatalogError::whole(&format!("playbooks/{}.toml", playbook.id), what, help)
}

/// The steps of `of`; `chain` is what led to it, itself included.
fn expand(of: &Playbook, all: &[Playbook], chain: &[&str]) -> Result<Vec<PlaybookStep>, CatalogError> {
    let mut steps = Vec::new();
    for step in &of.steps {
        let Some(id) = &step.playbook else {
            steps.push(step.clone());
            continue;
        };
        let sub = all.iter().find(|other| other.id == *id);
        let sub = sub
            .ok_or_else(|| wrong(of, format!("there is no playbook `{id}`"), "name the id of a playbook"))?;
        if chain.contains(&id.as_str()) {
            let what = format!("`{id}` is part of itself: {} → {id}", chain.join(" → "));
            return Err(wrong(of, what, "take one of these steps out"));
        }
        if chain.len() > DEEPEST {
            let what = format!("playbooks within playbooks, more than {DEEPEST} deep: {}", chain.join(" → "));
            return Err(wrong(of, what, "write the steps out"));
        }
        fits(of, sub)?;
        let chain: Vec<&str> = chain.iter().copied().chain([id.as_str()]).collect();
        for inner in expand(sub, all, &chain)? {
            steps.push(within(step, inner));
        }
    }
    Ok(steps)
}

/// A sub-playbook may do nothing that the whole does not declare.
fn fits(of: &Playbook, sub: &Playbook) -> Result<(), CatalogError> {
    let id = &sub.id;
    if sub.guard.risk > of.guard.risk {
        let what =
            format!("its risk is {}, and that of its part `{id}` is {}", of.guard.risk, sub.guard.risk);
        return Err(wrong(of, what, "declare the higher risk"));
    }
    if let Some(path) = sub.paths.iter().find(|path| !of.paths.contains(path)) {
        let what = format!("its part `{id}` may write `{path}`, which it does not declare itself");
        return Err(wrong(of, what, "add the path to `paths`"));
    }
    let covers = |tool| sub.tools.contains(tool);
    if !sub.tools.is_empty() && (of.tools.is_empty() || !of.tools.iter().all(covers)) {
        let what = format!("its part `{id}` is not made for all of its tools");
        return Err(wrong(of, what, "declare in `tools` those that both are made for"));
    }
    if of.status == Status::Stable && sub.status != Status::Stable {
        return Err(wrong(of, format!("its part `{id}` is not stable"), "use a stable playbook"));
    }
    if sub.resource.is_some() && sub.resource != of.resource {
        return Err(wrong(
            of,
            format!("its part `{id}` is made for one resource only"),
            "declare the same `resource`",
        ));
    }
    if sub.guard.ci_only && !of.guard.ci_only {
        return Err(wrong(
            of,
            format!("its part `{id}` is for CI jobs only"),
            "declare `ci-only` in its guard",
        ));
    }
    if sub.needs.iter().any(|need| !of.needs.contains(need)) {
        return Err(wrong(of, format!("its part `{id}` needs more than it does"), "add it to `needs`"));
    }
    Ok(())
}

/// A step of a sub-playbook in the place of `outer`, which names the sub-playbook.
fn within(outer: &PlaybookStep, mut step: PlaybookStep) -> PlaybookStep {
    let prefixed = |id: &str| format!("{}/{id}", outer.id);
    step.id = format!("{}/{}", outer.id, step.id);
    step.flow.group = step.flow.group.as_deref().map(prefixed);
    let inner = step.flow.when.take().map(|when| renamed(when, &prefixed));
    step.flow.when = match (outer.flow.when.clone(), inner) {
        (Some(outer), Some(inner)) => Some(Condition::All(vec![outer, inner])),
        (outer, inner) => outer.or(inner),
    };
    step
}

/// The condition with the steps that it names under their new ids.
fn renamed(condition: Condition, prefixed: &dyn Fn(&str) -> String) -> Condition {
    let each = |parts: Vec<Condition>| parts.into_iter().map(|part| renamed(part, prefixed)).collect();
    match condition {
        Condition::All(parts) => Condition::All(each(parts)),
        Condition::Any(parts) => Condition::Any(each(parts)),
        Condition::Not(inner) => Condition::Not(Box::new(renamed(*inner, prefixed))),
        Condition::Receipt { step, field, test } => Condition::Receipt { step: prefixed(&step), field, test },
        leaf => leaf,
    }
}

/// What a playbook says of its own steps, and of the playbook after it.
fn check(playbook: &Playbook, all: &[Playbook]) -> Result<(), CatalogError> {
    let steps = &playbook.steps;
    for (at, step) in steps.iter().enumerate() {
        let earlier = &steps[..at];
        for leaf in step.flow.when.iter().flat_map(Condition::leaves) {
            let Condition::Receipt { step: asked, .. } = leaf else { continue };
            let group =
                |other: &&PlaybookStep| other.flow.group.is_some() && other.flow.group == step.flow.group;
            if !earlier.iter().any(|other| other.id == *asked && !group(&other)) {
                let what = format!("`{}` depends on `{asked}`, which does not come before it", step.id);
                return Err(wrong(playbook, what, "name an earlier step of this playbook"));
            }
        }
        let group = step.flow.group.as_ref();
        let last_of_group =
            earlier.iter().rposition(|other| group.is_some() && other.flow.group.as_ref() == group);
        if last_of_group.is_some_and(|last| last + 1 != at) {
            let what =
                format!("the steps of the group `{}` do not stand side by side", group.map_or("", |g| g));
            return Err(wrong(playbook, what, "put them next to each other"));
        }
    }
    for rehearsal in &playbook.rehearsals {
        let named = std::iter::once(&rehearsal.broken.step).chain(&rehearsal.expect.undone);
        if let Some(stranger) = named.into_iter().find(|id| !steps.iter().any(|step| step.id == **id)) {
            let what = format!("the playbook has no step `{stranger}`");
            return Err(wrong(
                playbook,
                what,
                "name one of its steps; those of a part are called `part/step`",
            ));
        }
    }
    for id in playbook.fallback.iter().flatten() {
        let known = all.iter().any(|other| other.id == *id);
        if !known || *id == playbook.id {
            let what = format!("the fallback `{id}` is no other playbook");
            return Err(wrong(playbook, what, "name the ids of playbooks to try after this one"));
        }
    }
    Ok(())
}
