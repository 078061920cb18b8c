//! The catalogue's playbooks joined with the step kinds that exist: an unknown kind or a wrong argument is found at
//! the start, not in the middle of a recovery.

use std::{collections::BTreeMap, sync::Arc};

use regreen_catalog::{Catalog, Part, PatternSource, Playbook as Written, Status, Template};
use regreen_decide::Playbook;
use regreen_domain::{Condition, Flow, Plan, PlannedStep, Risk};
use regreen_saga::{AnyStep, KindFacts, PreparedStep, Resume};
use regreen_steps::{LOCKFILE_WRITER, closing, is_lasting, is_remote, kind_facts};
use regreen_tools::probe;
use serde_json::Value;

use crate::error::EngineError;

/// The step kind that only an operator's playbook may use.
pub(crate) const COMMAND: &str = "command";

/// Every stable playbook that works in a job, for what `pattern` found, as [`playbooks`] gives them, whose steps are of
/// kinds that exist and take their arguments.
///
/// # Errors
/// [`EngineError::Catalog`] where a playbook does not add up.
pub fn join(
    catalog: &Catalog,
    pattern: Option<&str>,
    allow_commands: bool,
) -> Result<Vec<Playbook>, EngineError> {
    let joined = in_place(catalog, pattern, false)?;
    let kinds = kind_facts();
    for playbook in &joined {
        check(playbook, catalog, &kinds, allow_commands)?;
    }
    Ok(joined)
}

/// The same of those that work at the CI host.
///
/// # Errors
/// As [`join`].
pub(crate) fn join_remote(catalog: &Catalog, pattern: Option<&str>) -> Result<Vec<Playbook>, EngineError> {
    let joined = in_place(catalog, pattern, true)?;
    let kinds = kind_facts();
    for playbook in &joined {
        check(playbook, catalog, &kinds, false)?;
    }
    Ok(joined)
}

/// Those that work at the CI host, or the others.
///
/// # Errors
/// As [`playbooks`].
pub(crate) fn in_place(
    catalog: &Catalog,
    pattern: Option<&str>,
    remote: bool,
) -> Result<Vec<Playbook>, EngineError> {
    let mut all = playbooks(catalog, pattern)?;
    all.retain(|playbook| works_at_host(playbook) == remote);
    Ok(all)
}

/// Whether a playbook works at the CI host; its steps are all of that sort then.
pub(crate) fn works_at_host(playbook: &Playbook) -> bool {
    playbook.steps.iter().any(|step| is_remote(&step.kind))
}

/// Every stable playbook that suits what `pattern` found, in the catalogue's order, with the steps that end every plan.
///
/// # Errors
/// [`EngineError::Catalog`] where a step takes what a log says.
fn playbooks(catalog: &Catalog, pattern: Option<&str>) -> Result<Vec<Playbook>, EngineError> {
    let pattern = pattern.and_then(|id| catalog.pattern(id));
    let stable = catalog.playbooks().iter().filter(|p| p.status == Status::Stable);
    stable.filter(|p| p.suits(pattern)).map(joined).collect()
}

/// One playbook with the steps that end every plan.
///
/// # Errors
/// As [`playbooks`].
pub(crate) fn joined(playbook: &Written) -> Result<Playbook, EngineError> {
    let mut steps = Vec::new();
    for step in &playbook.steps {
        let args: BTreeMap<String, String> = step
            .with
            .iter()
            .map(|(key, value)| Some((key.clone(), text(value)?)))
            .collect::<Option<_>>()
            .ok_or_else(|| EngineError::Catalog(format!("{}: no step takes what a log says", playbook.id)))?;
        let (id, kind) = (step.id.clone(), step.kind.clone());
        steps.push(PlannedStep { id, kind, args, lists: step.lists.clone(), flow: step.flow.clone() });
    }
    // A named root (`cache:{tool}`) is no path of the workspace.
    let paths: Vec<String> = playbook.paths.iter().filter(|path| !path.contains(':')).cloned().collect();
    let last = closing(steps.iter().map(|step| step.kind.as_str()), &paths);
    steps.extend(last.into_iter().map(closing_step));
    Ok(Playbook {
        id: playbook.id.clone(),
        heals: playbook.heals.clone(),
        tools: playbook.tools.clone(),
        risk: playbook.guard.risk,
        attempts: playbook.guard.attempts,
        cooldown_ms: i64::try_from(playbook.guard.cooldown.as_millis()).unwrap_or(i64::MAX),
        ci_only: playbook.guard.ci_only || steps.iter().any(|step| is_lasting(&step.kind)),
        writes_files: !paths.is_empty(),
        paths,
        prior: playbook.guard.prior,
        own: playbook.source == PatternSource::Operator,
        fallback: playbook.fallback.clone(),
        steps,
    })
}

/// Whether an operator's playbook can be used; the error says what does not add up.
///
/// # Errors
/// Why it must be left out.
pub fn check_own(catalog: &Catalog, playbook: &Written, allow_commands: bool) -> Result<(), String> {
    let checked = joined(playbook).and_then(|ready| check(&ready, catalog, &kind_facts(), allow_commands));
    checked.map_err(|e| match e {
        EngineError::Catalog(why) => why,
        other => other.to_string(),
    })
}

/// What no type says of a playbook: its step kinds exist, take their arguments, and may be used as it uses them.
pub(crate) fn check(
    playbook: &Playbook,
    catalog: &Catalog,
    kinds: &[KindFacts],
    allow_commands: bool,
) -> Result<(), EngineError> {
    let source = catalog.playbook(&playbook.id).map_or(PatternSource::BuiltIn, |written| written.source);
    for step in &playbook.steps {
        let wrong = |why: String| EngineError::Catalog(format!("{}: step `{}` {why}", playbook.id, step.id));
        let kind = kinds.iter().find(|facts| facts.kind == step.kind);
        let kind = kind.ok_or_else(|| wrong(format!("is of the unknown kind `{}`", step.kind)))?;
        (kind.check_args)(&args(step)).map_err(|why| wrong(format!("has wrong arguments: {why}")))?;
        if step.kind == COMMAND {
            if source != PatternSource::Operator {
                return Err(wrong("is a command, which only an operator's own playbook may hold".to_owned()));
            }
            if !allow_commands {
                let why = "is a command; the operator's configuration must say `allow-commands = true`";
                return Err(wrong(why.to_owned()));
            }
            if !step.lists.contains_key("undo") && playbook.risk != Risk::High {
                return Err(wrong("is a command without `undo`, so the playbook's risk is high".to_owned()));
            }
        }
        if works_at_host(playbook) && !is_remote(&step.kind) {
            return Err(wrong("works in a job, and others of its playbook at the CI host".to_owned()));
        }
        if step.kind == LOCKFILE_WRITER && !playbook.paths.iter().any(|path| path == "{lockfile}") {
            return Err(wrong("writes the lockfile; declare `{lockfile}` in `paths`".to_owned()));
        }
        if step.flow.attempts > 1 && kind.resume == Resume::Never {
            return Err(wrong(format!("is tried several times, and `{}` must not be repeated", kind.kind)));
        }
        if step.flow.timeout.is_some() && !kind.stops {
            return Err(wrong(format!(
                "has a `timeout`, and `{}` can't be stopped in the middle",
                kind.kind
            )));
        }
        if step.flow.group.is_some() && !kind.parallel {
            return Err(wrong(format!("is in a group, and `{}` does not run beside others", kind.kind)));
        }
        for leaf in step.flow.when.iter().flat_map(Condition::leaves) {
            match leaf {
                Condition::Finding { probe, .. } if !probe::IDS.contains(&probe.as_str()) => {
                    let known = probe::IDS.join(", ");
                    return Err(wrong(format!("asks the unknown probe `{probe}`; there are: {known}")));
                }
                Condition::Pattern(id) if catalog.pattern(id).is_none() => {
                    return Err(wrong(format!("asks for the unknown pattern `{id}`")));
                }
                _ => {}
            }
        }
    }
    Ok(())
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
    let args = args(step);
    kind.check_args(&args).map_err(|why| format!("arguments of step `{}`: {why}", step.id))?;
    Ok(PreparedStep { id: step.id.clone(), step: kind.clone(), args, flow: step.flow.clone() })
}

/// The arguments as a step kind reads them.
fn args(step: &PlannedStep) -> Value {
    let texts = step.args.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
    let lists = step.lists.iter().map(|(key, items)| (key.clone(), Value::from(items.as_slice())));
    Value::Object(texts.chain(lists).collect())
}

fn closing_step(kind: &'static str) -> PlannedStep {
    let of_tool = matches!(kind, "tool-consistent" | "installs-the-same");
    let tool = of_tool.then(|| ("tool".to_owned(), "{tool}".to_owned()));
    PlannedStep {
        id: kind.to_owned(),
        kind: kind.to_owned(),
        args: tool.into_iter().collect(),
        lists: BTreeMap::new(),
        flow: Flow::default(),
    }
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
