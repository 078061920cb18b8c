//! `regreen diagnose LOG…`: why a job failed, from its log alone.

use std::{
    error::Error,
    io::{self, Write},
    path::Path,
};

use regreen_catalog::{Catalog, Status};
use regreen_detect::{Baseline, Circumstances, Detection, Detector};
use regreen_domain::{Diagnosis, FailureClass, InfraClass};
use regreen_engine::{Event, Voice};
use regreen_logs::{Ending, Log};
use regreen_mask::Masker;
use regreen_show::{
    Cure, Diagnosed, Named, action, github, harmless::harmless, json, markdown, plain, sarif,
};

use crate::{
    args::{DiagnoseArgs, DiagnosisFormat},
    commands::report,
    context::Context,
    custom::{self, Known},
    exit::{CODE, CURABLE, FINE, Failed, NEEDS_A_PERSON, NOTHING_TO_READ, UNKNOWN, USAGE},
    inputs,
    output::step,
    voice::{self, Terminal},
};

/// Where a baseline can't be read.
const PASSED: &str = "a baseline is the log of a run that passed, in any form that can be diagnosed";

/// Diagnoses every input in the order given. One that can't be read does not stop the rest.
pub fn diagnose(context: &Context, args: &DiagnoseArgs) -> Result<u8, Failed> {
    let Known { catalog, warnings } = custom::known_here(context, args.own.patterns.as_deref(), None)?;
    warnings.iter().for_each(|warning| voice::warning(context, warning));
    let masked = |text: &String| context.masker().mask(text).into_owned();
    let warnings: Vec<String> = warnings.iter().map(masked).collect();
    let detector = Detector::new(&catalog);
    let masker = context.masker();
    let baseline = baseline(context, args, &masker)?;
    let mut codes = Vec::new();
    let mut all = Vec::new();
    let mut printed = Ok(true);
    for typed in &args.logs {
        let files = match inputs::files(typed) {
            Ok(files) => files,
            Err(e) => {
                codes.push(report(context, &unread(&typed.display().to_string(), &e)));
                continue;
            }
        };
        for file in files {
            inputs::logs(&file, &mut |name, log| {
                let log = match log {
                    Ok(log) => log,
                    Err(e) => return codes.push(report(context, &unread(&name, &e))),
                };
                let of = about(&detector, &catalog, &baseline, &masker, &name, &log);
                codes.push(code(&of.diagnosis, of.cure));
                if matches!(printed, Ok(true)) {
                    printed = print(&said(&of, args.format, context, &warnings));
                }
                all.push(of);
            });
            // Who closes the pipe has seen enough.
            if !printed? {
                return Ok(FINE);
            }
            printed = Ok(true);
        }
    }
    match args.format {
        DiagnosisFormat::Sarif => _ = print(&sarif::document(&all))?,
        DiagnosisFormat::Github => {
            step::summary(context, &all.iter().map(markdown::section).collect::<String>())?;
        }
        DiagnosisFormat::Plain | DiagnosisFormat::Json | DiagnosisFormat::Markdown => {}
    }
    let first_that_occurs = [NOTHING_TO_READ, CURABLE, NEEDS_A_PERSON, UNKNOWN, CODE];
    Ok(first_that_occurs.into_iter().find(|c| codes.contains(c)).unwrap_or(FINE))
}

/// What passing runs print. One that can't be read ends it all: without it the diagnoses would be others.
fn baseline<'m>(context: &Context, args: &DiagnoseArgs, masker: &'m Masker) -> Result<Baseline<'m>, Failed> {
    let stdin = Path::new("-");
    if args.logs.iter().chain(&args.baseline).filter(|typed| *typed == stdin).count() > 1 {
        let failed = Failed::new(USAGE, "standard input can be read once only, as a log or as a baseline");
        return Err(failed.help("name a file for the other"));
    }
    let mut baseline = Baseline::new(masker);
    for typed in &args.baseline {
        let mut failed = None;
        let files = inputs::files(typed);
        let files = files.map_err(|e| unread(&typed.display().to_string(), &e).help(PASSED))?;
        for file in files {
            inputs::logs(&file, &mut |name, log| match log {
                Ok(log) => {
                    if log.ending() == Ending::Failed {
                        let name = harmless(&masker.mask(&name));
                        let what =
                            format!("{name}: the baseline says that it failed; what it prints is left aside");
                        Terminal::new(context).tell(Event::Warning(&what));
                    }
                    baseline.add(&log);
                }
                Err(e) => failed = Some(unread(&name, &e)),
            });
        }
        if let Some(failed) = failed {
            return Err(failed.help(PASSED));
        }
    }
    Ok(baseline)
}

/// An input that can't be read, and why.
fn unread(name: &str, error: &dyn Error) -> Failed {
    Failed::new(NOTHING_TO_READ, format!("{}: {}", harmless(name), cause_of(error)))
}

/// An error with what is behind it.
pub(super) fn cause_of(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

/// Diagnoses one log: nothing is looked at but its text.
pub fn about<'c>(
    detector: &Detector<'_>,
    catalog: &'c Catalog,
    baseline: &Baseline<'_>,
    masker: &Masker,
    name: &str,
    log: &Log<'_>,
) -> Diagnosed<'c> {
    let scan = detector.scan_beside(log, &Circumstances::default(), Some(baseline));
    let found = detector.conclude(&scan, &[], masker);
    let named = Named { host: found.host(), package: found.package(), tool: found.diagnosis.tool.clone() };
    let Detection { diagnosis, hang, .. } = found;
    let pattern = diagnosis.pattern.as_deref().and_then(|id| catalog.pattern(id));
    let cure = cure(catalog, &diagnosis);
    Diagnosed { input: harmless(&masker.mask(name)), diagnosis, cure, pattern, hang, named }
}

/// What is said of an input as soon as it is diagnosed.
fn said(of: &Diagnosed<'_>, format: DiagnosisFormat, context: &Context, warnings: &[String]) -> String {
    match format {
        DiagnosisFormat::Plain => plain::diagnosis(of, context.colour_stdout()),
        DiagnosisFormat::Json => json::diagnosis(of, warnings),
        DiagnosisFormat::Github => github::annotation(of),
        DiagnosisFormat::Markdown => markdown::section(of),
        DiagnosisFormat::Sarif => String::new(),
    }
}

/// Prints; false where nobody reads it any more.
fn print(text: &str) -> Result<bool, Failed> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(Failed::new(NOTHING_TO_READ, format!("standard output: {e}"))),
    }
}

/// What could be done about a diagnosis from a log alone. A pattern that only names never leads to a healing.
pub(super) fn cure<'a>(catalog: &'a Catalog, diagnosis: &Diagnosis) -> Cure<'a> {
    let by = diagnosis.pattern.as_deref().and_then(|id| catalog.pattern(id));
    let only_named = by.is_some_and(|pattern| pattern.source.only_names());
    let playbook = diagnosis.class.healable().filter(|_| !only_named).and_then(|class| {
        catalog.playbooks().iter().filter(|p| p.status == Status::Stable).find(|p| {
            p.heals.contains(&class)
                && !p.steps.iter().any(|step| regreen_steps::is_remote(&step.kind))
                && p.suits(by)
                && (p.tools.is_empty() || diagnosis.tool.as_ref().is_some_and(|t| p.tools.contains(t)))
        })
    });
    Cure {
        action: action(diagnosis, playbook.is_some()),
        playbook: playbook.map(|p| p.id.as_str()),
        risk: playbook.map(|p| p.guard.risk.id()),
    }
}

fn code(diagnosis: &Diagnosis, cure: Cure<'_>) -> u8 {
    match diagnosis.class {
        _ if !diagnosis.failed => FINE,
        FailureClass::Infra(InfraClass::Healable(_)) if cure.playbook.is_some() => CURABLE,
        FailureClass::Infra(_) => NEEDS_A_PERSON,
        FailureClass::Code(_) => CODE,
        FailureClass::Unknown => UNKNOWN,
    }
}
