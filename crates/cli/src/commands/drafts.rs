//! `regreen patterns new LOG`: a draft of a pattern from one failure.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
};

use regreen_catalog::{Catalog, PatternSource};
use regreen_detect::{Circumstances, Detector, admit};
use regreen_domain::{Diagnosis, FailureClass};
use regreen_logs::Log;
use regreen_mask::Masker;
use regreen_propose::{Draft, Drafted, expression, guess, id_for};

use crate::{
    args::NewArgs,
    commands::patterns,
    context::Context,
    exit::{FINE, Failed, NOTHING_TO_READ, PROBLEMS, USAGE},
    inputs,
    output::print::print,
    voice,
};

/// The line that a draft is made from.
struct Seen {
    line: String,
    diagnosis: Diagnosis,
}

/// Writes the draft.
pub fn new(context: &Context, args: &NewArgs) -> Result<u8, Failed> {
    let (catalog, _) = patterns::known(context, &args.which)?;
    let detector = Detector::new(&catalog);
    let masker = context.masker();
    let mut found: Result<Option<Seen>, Failed> = Ok(None);
    inputs::logs(&args.log, &mut |name, log| {
        if matches!(found, Ok(None)) {
            found = match log {
                Ok(log) => Ok(seen(&detector, &masker, args.line, &log)),
                Err(e) => Err(Failed::new(NOTHING_TO_READ, format!("{name}: {e}"))),
            };
        }
    });
    let Some(Seen { line, diagnosis }) = found? else {
        let what = match args.line {
            Some(number) => format!("there is no line {number} with words in what was read of the log"),
            None => "no line of the log reads like the cause of a failure".to_owned(),
        };
        return Err(Failed::new(NOTHING_TO_READ, what).help("name a line with --line NUMBER"));
    };
    let (class, class_note) = match args.class {
        Some(class) => (class, String::new()),
        None => guess(&diagnosis).ok_or_else(|| {
            Failed::new(USAGE, "nothing says of which class this failure is").help(format!(
                "name one with --class CLASS: {}",
                FailureClass::ALL.map(FailureClass::id).join(", ")
            ))
        })?,
    };
    if let Some(known) = &diagnosis.pattern {
        let text = format!(
            "this failure is known already, by the pattern `{known}`; see `regreen patterns show {known}`"
        );
        voice::warning(context, &text);
    }
    let stem =
        args.output.as_deref().and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
    let id = args.id.clone().or(stem).unwrap_or_else(|| id_for(&line, &|id| is_taken(&catalog, id)));
    let drafted = Draft {
        id,
        class,
        class_note,
        tool: diagnosis.tool.clone(),
        expression: expression(&line),
        examples: vec![line],
        about: Vec::new(),
        words: None,
    }
    .write();
    match &args.output {
        Some(path) => save(path, &drafted.text)?,
        None => _ = print(&drafted.text)?,
    }
    Ok(if proves_itself(context, &catalog, &drafted) { FINE } else { PROBLEMS })
}

fn seen(detector: &Detector<'_>, masker: &Masker, number: Option<u64>, log: &Log<'_>) -> Option<Seen> {
    let scan = detector.scan(log, &Circumstances::default());
    let diagnosis = detector.conclude(&scan, &[], masker).diagnosis;
    let line = match number {
        Some(number) => {
            let line = log.lines().find(|line| line.number == number)?;
            masker.mask(line.text().as_str()).into_owned()
        }
        None => diagnosis.evidence.first().filter(|_| diagnosis.failed)?.text.clone(),
    };
    let line = line.trim().to_owned();
    (!line.is_empty()).then_some(Seen { line, diagnosis })
}

pub(super) fn is_taken(catalog: &Catalog, id: &str) -> bool {
    catalog.pattern(id).is_some()
        || catalog.playbook(id).is_some()
        || catalog.banners().iter().any(|b| b.id == id)
}

/// Whether a draft is one that `patterns test` lets pass; what does not hold is said.
pub(super) fn proves_itself(context: &Context, catalog: &Catalog, drafted: &Drafted) -> bool {
    let file = format!("{}.toml", drafted.id);
    let refused = admit(catalog.clone(), PatternSource::Operator, &[(file, drafted.text.clone())]).refused;
    refused
        .iter()
        .for_each(|e| voice::warning(context, &format!("the draft does not prove itself yet: {e}")));
    refused.is_empty()
}

/// Writes a file that was not there.
pub(super) fn save(path: &Path, text: &str) -> Result<(), Failed> {
    let failed = |e: std::io::Error| Failed::new(NOTHING_TO_READ, format!("{}: {e}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)
}
