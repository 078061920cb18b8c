//! `regreen diagnose LOG…`: why a job failed, from its log alone.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use regreen_catalog::{Catalog, Status};
use regreen_domain::{Diagnosis, FailureClass, InfraClass};
use regreen_engine::diagnose_log;

use crate::{
    args::{DiagnoseArgs, Format},
    commands::report,
    context::{Context, catalog},
    exit::{CODE, CURABLE, FINE, Failed, NEEDS_A_PERSON, NOTHING_TO_READ, UNKNOWN},
    output::{
        json::{self, Cure, action},
        plain::{self, Advice},
    },
};

/// Most bytes of one input that are taken, from its end.
const LARGEST: u64 = 1 << 30;

/// Diagnoses every input in the order given. One that can't be read does not stop the rest.
pub fn diagnose(context: &Context, args: &DiagnoseArgs) -> Result<u8, Failed> {
    let catalog = catalog()?;
    let masker = context.masker();
    let mut codes = Vec::new();
    for path in &args.logs {
        let input = path.display().to_string();
        let bytes = match read(path) {
            Ok(bytes) if bytes.is_empty() => {
                let empty = Failed::new(NOTHING_TO_READ, format!("{input}: it is empty"));
                codes.push(report(context, &empty));
                continue;
            }
            Ok(bytes) => bytes,
            Err(e) => {
                let unreadable = Failed::new(NOTHING_TO_READ, format!("{input}: {e}"));
                codes.push(report(context, &unreadable));
                continue;
            }
        };
        let detection = diagnose_log(&catalog, &bytes, &masker);
        let diagnosis = &detection.diagnosis;
        let cure = cure(&catalog, diagnosis);
        let text = match args.format {
            Format::Json => json::diagnosis(&masker.mask(&input), diagnosis, cure),
            Format::Plain => {
                let fix =
                    diagnosis.pattern.as_deref().and_then(|id| catalog.pattern(id)).map(|p| p.fix.as_str());
                let advice = Advice { fix, playbook: cure.playbook };
                plain::diagnosis(&masker.mask(&input), diagnosis, advice, context.colour_stdout())
            }
        };
        match io::stdout().lock().write_all(text.as_bytes()) {
            // Who closes the pipe has seen enough.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(FINE),
            Err(e) => return Err(Failed::new(NOTHING_TO_READ, format!("standard output: {e}"))),
            Ok(()) => {}
        }
        codes.push(code(diagnosis, cure));
    }
    let first_that_occurs = [NOTHING_TO_READ, CURABLE, NEEDS_A_PERSON, UNKNOWN, CODE];
    Ok(first_that_occurs.into_iter().find(|c| codes.contains(c)).unwrap_or(FINE))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(LARGEST).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What could be done about a diagnosis from a log alone.
pub(super) fn cure<'a>(catalog: &'a Catalog, diagnosis: &Diagnosis) -> Cure<'a> {
    let playbook = diagnosis.class.healable().and_then(|class| {
        catalog.playbooks().iter().filter(|p| p.status == Status::Stable).find(|p| {
            p.heals.contains(&class)
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
