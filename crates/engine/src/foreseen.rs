//! A plan in words, for a dry run: every step with its arguments, when it runs, its limits, and what it would do.

use regreen_domain::{Flow, Plan};
use regreen_saga::{Foreseen, PreparedStep};

/// A line a step, in their order.
pub(crate) fn lines(plan: &Plan, steps: &[PreparedStep], foreseen: &[(String, Foreseen)]) -> Vec<String> {
    let line = |(at, planned): (usize, &regreen_domain::PlannedStep)| {
        let step = steps.get(at)?;
        let answer = foreseen.iter().find(|(id, _)| *id == planned.id).map(|(_, answer)| answer);
        let texts = planned.args.iter().map(|(key, value)| format!("{key} = {value}"));
        let lists = planned.lists.iter().map(|(key, items)| format!("{key} = {items:?}"));
        let args: Vec<String> = texts.chain(lists).collect();
        let args = if args.is_empty() { String::new() } else { format!(" ({})", args.join(", ")) };
        let id = if planned.id == planned.kind { String::new() } else { format!("{}: ", planned.id) };
        let would = match answer {
            Some(Foreseen::Runs(Some(words))) => format!("would {words}; {}", step.step.undo_kind().says()),
            Some(Foreseen::Runs(None)) => format!("would run; {}", step.step.undo_kind().says()),
            Some(Foreseen::Skipped(why)) => format!("left out, {why}"),
            Some(Foreseen::Depends(condition)) => {
                format!("would run only if {condition}; {}", step.step.undo_kind().says())
            }
            Some(Foreseen::Refused(why)) => format!("can't: {why}"),
            None => "not asked".to_owned(),
        };
        Some(format!("{}. {id}{}{args}{}: {would}", at + 1, planned.kind, limits(&planned.flow)))
    };
    plan.steps.iter().enumerate().filter_map(line).collect()
}

/// What is not as usual about how it is tried.
fn limits(flow: &Flow) -> String {
    let words = [
        flow.group.as_ref().map(|group| format!("beside others ({group})")),
        flow.timeout.map(|time| format!("at most {time:?}")),
        (flow.attempts > 1).then(|| format!("{} attempts", flow.attempts)),
        (!flow.pause.is_zero()).then(|| format!("{:?} between them", flow.pause)),
    ];
    words.into_iter().flatten().map(|words| format!(", {words}")).collect()
}
