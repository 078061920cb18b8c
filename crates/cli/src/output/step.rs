//! The step of a GitHub job that this is, if it is one: what later steps read, and the job's summary.
//!
//! As in <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>.

use std::{
    ffi::OsStr,
    fs::OpenOptions,
    io::{self, Write as _},
};

use regreen_domain::Outcome;
use regreen_engine::Handled;
use regreen_show::{
    Cure, Diagnosed, Named, github,
    harmless::harmless,
    markdown::{self, code},
};

use crate::{
    context::{Context, catalog},
    exit::{Failed, NOTHING_TO_READ},
};

/// The variable that names the file of a step's summary.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// The variable that names the file of a step's outputs.
const OUTPUT: &str = "GITHUB_OUTPUT";

/// Tells what came of a `run` of this masked command: `None` where the command ended well by itself. The annotation goes to
/// standard error, where all of Regreen's own words go.
///
/// # Errors
/// Where a file can't be written.
pub fn of_a_run(context: &Context, command: &str, handled: Option<&Handled>) -> Result<(), Failed> {
    let healed = handled.is_some_and(|handled| handled.outcome == Outcome::Healed);
    let of = |value: fn(&Handled) -> String| handled.map(value).unwrap_or_default();
    let values = [
        ("verdict", of(|handled| handled.diagnosis.class.verdict().to_string())),
        ("class", of(|handled| handled.diagnosis.class.id().to_owned())),
        ("confidence", of(|handled| format!("{:.2}", handled.diagnosis.confidence.value()))),
        ("outcome", of(|handled| handled.outcome.id().to_owned())),
        ("incident", of(|handled| handled.incident.clone())),
        ("healed", healed.to_string()),
    ];
    outputs(context, &values)?;
    let Some(handled) = handled else { return Ok(()) };
    let catalog = catalog()?;
    let shown = Diagnosed {
        input: harmless(command),
        diagnosis: handled.diagnosis.clone(),
        cure: Cure { action: "none", playbook: None, risk: None },
        pattern: handled.diagnosis.pattern.as_deref().and_then(|id| catalog.pattern(id)),
        hang: None,
        named: Named {
            host: handled.host.clone(),
            package: handled.package.clone(),
            tool: handled.diagnosis.tool.clone(),
        },
    };
    // A closed standard error is no reason to fail.
    let _closed = io::stderr().lock().write_all(github::annotation(&shown).as_bytes());
    let because =
        handled.because.map(|because| format!(", because of {}", code(because.id()))).unwrap_or_default();
    let end = format!(
        "- outcome: {}{because}\n- incident {}\n\n",
        code(handled.outcome.id()),
        code(&handled.incident)
    );
    summary(context, &(markdown::section(&shown).trim_end().to_owned() + "\n" + &end))
}

/// Adds to the summary of the step.
///
/// # Errors
/// Where the file can't be written.
pub fn summary(context: &Context, text: &str) -> Result<(), Failed> {
    append(context, SUMMARY, text)
}

/// Sets outputs of the step, each on a line of its own: whatever a value holds, it sets no other.
///
/// # Errors
/// Where the file can't be written.
pub fn outputs(context: &Context, outputs: &[(&str, String)]) -> Result<(), Failed> {
    append(context, OUTPUT, &lines(outputs))
}

fn lines(outputs: &[(&str, String)]) -> String {
    let line = |(name, value): &(&str, String)| {
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("{name}={value}\n")
    };
    outputs.iter().map(line).collect()
}

fn append(context: &Context, variable: &str, text: &str) -> Result<(), Failed> {
    let Some(path) = context.env.get(OsStr::new(variable)).filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|e| Failed::new(NOTHING_TO_READ, format!("{variable}: {e}")))
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn a_value_sets_no_other_output() {
        let hostile = "network\r\nhealed=true\u{2028}x".to_owned();
        assert_eq!(lines(&[("class", hostile)]), "class=network  healed=true\u{2028}x\n");
        assert_eq!(lines(&[("a", "1".to_owned()), ("b", String::new())]), "a=1\nb=\n");
    }
}
