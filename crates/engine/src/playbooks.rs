//! The catalogue's playbooks joined with the step kinds that exist: an unknown kind or a wrong argument is found at
//! the start, not in the middle of a recovery.

use std::{collections::BTreeMap, sync::Arc};

use regreen_catalog::{Catalog, Part, Status, Template};
use regreen_decide::Playbook;
use regreen_domain::{Plan, PlannedStep};
use regreen_saga::{AnyStep, PreparedStep};
use regreen_steps::is_lasting;
use serde_json::Value;

use crate::error::EngineError;

/// Every stable playbook for what `pattern` found, as [`playbooks`] gives them, whose step kinds exist and take their arguments.
///
/// # Errors
/// [`EngineError::Catalog`] where a step kind does not exist or its arguments do not fit.
pub fn join(
    catalog: &Catalog,
    kinds: &[Arc<dyn AnyStep>],
    pattern: Option<&str>,
) -> Result<Vec<Playbook>, EngineError> {
    let joined = playbooks(catalog, pattern)?;
    for playbook in &joined {
        for step in &playbook.steps {
            prepare(step, kinds).map_err(|why| EngineError::Catalog(format!("{}: {why}", playbook.id)))?;
        }
    }
    Ok(joined)
}

/// Every stable playbook that suits what `pattern` found, in the catalogue's order, with the steps that end every plan.
///
/// # Errors
/// [`EngineError::Catalog`] where a step takes what a log says.
pub(crate) fn playbooks(catalog: &Catalog, pattern: Option<&str>) -> Result<Vec<Playbook>, EngineError> {
    let mut joined = Vec::new();
    let pattern = pattern.and_then(|id| catalog.pattern(id));
    let stable = catalog.playbooks().iter().filter(|p| p.status == Status::Stable);
    for playbook in stable.filter(|p| p.suits(pattern)) {
        let mut steps = Vec::new();
        for step in &playbook.steps {
            let args: BTreeMap<String, String> = step
                .with
                .iter()
                .map(|(key, value)| Some((key.clone(), text(value)?)))
                .collect::<Option<_>>()
                .ok_or_else(|| {
                    EngineError::Catalog(format!("{}: no step takes what a log says", playbook.id))
                })?;
            steps.push(PlannedStep { id: step.id.clone(), kind: step.kind.clone(), args });
        }
        steps.extend(closing_steps());
        joined.push(Playbook {
            id: playbook.id.clone(),
            heals: playbook.heals.clone(),
            tools: playbook.tools.clone(),
            risk: playbook.guard.risk,
            attempts: playbook.guard.attempts,
            cooldown_ms: i64::try_from(playbook.guard.cooldown.as_millis()).unwrap_or(i64::MAX),
            ci_only: playbook.guard.ci_only || steps.iter().any(|step| is_lasting(&step.kind)),
            writes_files: !playbook.paths.is_empty(),
            prior: playbook.guard.prior,
            steps,
        });
    }
    Ok(joined)
}

/// A plan's steps with the code of their kinds.
pub(crate) fn prepare_plan(
    plan: &Plan,
    kinds: &[Arc<dyn AnyStep>],
) -> Result<Vec<PreparedStep>, EngineError> {
    plan.steps
        .iter()
        .map(|step| {
            prepare(step, kinds).map_err(|why| EngineError::Catalog(format!("{}: {why}", plan.playbook)))
        })
        .collect()
}

fn prepare(step: &PlannedStep, kinds: &[Arc<dyn AnyStep>]) -> Result<PreparedStep, String> {
    let kind = kinds.iter().find(|k| k.kind() == step.kind);
    let kind = kind.ok_or_else(|| format!("step `{}` is of the unknown kind `{}`", step.id, step.kind))?;
    let args: serde_json::Map<String, Value> =
        step.args.iter().map(|(k, v)| (k.clone(), Value::String(v.clone()))).collect();
    let args = Value::Object(args);
    kind.check_args(&args).map_err(|why| format!("arguments of step `{}`: {why}", step.id))?;
    Ok(PreparedStep { id: step.id.clone(), step: kind.clone(), args })
}

fn closing_steps() -> impl Iterator<Item = PlannedStep> {
    regreen_steps::CLOSING.into_iter().map(|kind| {
        let tool = (kind == "tool-consistent").then(|| ("tool".to_owned(), "{tool}".to_owned()));
        PlannedStep { id: kind.to_owned(), kind: kind.to_owned(), args: tool.into_iter().collect() }
    })
}

fn text(template: &Template) -> Option<String> {
    template
        .parts()
        .iter()
        .map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::Tool => Some("{tool}"),
            Part::EvidenceHost | Part::EvidencePackage => None,
        })
        .collect()
}
