//! What a plan would do, by its looks alone.

use crate::{
    executor::PreparedStep,
    step::{Look, Receipts, Refused},
};
use regreen_domain::Condition;

/// What is known beforehand of one step.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreseen {
    /// It would run; what it would do, where its look has words for that.
    Runs(Option<String>),
    /// Its look says no: the plan can't help.
    Refused(String),
    /// The evidence leaves it out.
    Skipped(String),
    /// It depends on what earlier steps will say, so it was not asked.
    Depends(Condition),
}

/// Every preflight and nothing else, up to the first refusal.
pub async fn dry_run(incident: &str, plan: &[PreparedStep]) -> Vec<(String, Foreseen)> {
    let mut answers = Vec::new();
    for step in plan {
        let foreseen = if let Some(why) = &step.flow.skip {
            Foreseen::Skipped(why.clone())
        } else if let Some(condition) = &step.flow.when {
            Foreseen::Depends(condition.clone())
        } else {
            let look =
                Look { incident: incident.to_owned(), step: step.id.clone(), receipts: Receipts::new() };
            match step.step.preflight(&look, &step.args).await {
                Ok(before) => Foreseen::Runs(step.step.foresee(&step.args, &before)),
                Err(Refused(why)) => Foreseen::Refused(why),
            }
        };
        let refused = matches!(foreseen, Foreseen::Refused(_));
        answers.push((step.id.clone(), foreseen));
        if refused {
            break;
        }
    }
    answers
}
