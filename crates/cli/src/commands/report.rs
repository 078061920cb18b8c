//! `regreen report FOLDER…`: what Regreen would have done about many logs.

mod host;
mod read;

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use regreen_detect::{Baseline, Detector};
use regreen_logs::Log;
use regreen_show::harmless::harmless;

use crate::{
    args::{ReportArgs, ReportFormat},
    commands::diagnose::{about, cause_of},
    context::Context,
    custom::{self, Known},
    exit::{FINE, Failed, NOTHING_TO_READ},
    inputs,
    output::{print::print, report},
    tally::Tally,
    voice,
};

/// How often it is said how far it has come.
const EVERY: Duration = Duration::from_millis(100);

/// Diagnoses every log and says what they come to. One that can't be read does not stop the rest.
pub fn report(context: &Context, args: &ReportArgs) -> Result<u8, Failed> {
    let Known { catalog, warnings } = custom::known_here(context, args.own.patterns.as_deref(), None)?;
    warnings.iter().for_each(|warning| voice::warning(context, warning));
    let detector = Detector::new(&catalog);
    let masker = context.masker();
    let nothing = Baseline::new(&masker);
    let harmless = |text: &str| harmless(&masker.mask(text));
    let mut tally = Tally::default();
    if let Some(host) = host::Host::of(context, args)? {
        let diagnose = |name: &str, log: &Log<'_>| about(&detector, &catalog, &nothing, &masker, name, log);
        let stopped = host::read(context, args, host, &catalog, &diagnose, &mut tally)?;
        // Where it never began, there is nothing to report.
        if stopped.is_none() || tally.logs() + tally.unreadable > 0 {
            print(&page(args.format, &tally))?;
        }
        return match stopped {
            Some(failed) => Err(failed),
            None => Ok(if tally.unreadable > 0 { NOTHING_TO_READ } else { FINE }),
        };
    }
    let mut files = Vec::new();
    for typed in &args.logs {
        match inputs::files(typed) {
            Ok(found) => files.extend(found),
            Err(e) => tally.cannot_read(harmless(&typed.display().to_string()), harmless(&cause_of(&e))),
        }
    }
    let mut progress = Progress::new(files.len());
    for (i, file) in files.iter().enumerate() {
        progress.say(i);
        let linked =
            linkable(file).filter(|path| harmless(&path.display().to_string()) == path.display().to_string());
        inputs::logs(file, &mut |name, log| match log {
            Ok(log) => {
                let of = about(&detector, &catalog, &nothing, &masker, &name, &log);
                tally.add(of, linked.clone(), log.took());
            }
            Err(e) => tally.cannot_read(harmless(&name), harmless(&cause_of(&e))),
        });
    }
    drop(progress);
    print(&page(args.format, &tally))?;
    Ok(if tally.unreadable > 0 { NOTHING_TO_READ } else { FINE })
}

fn page(format: ReportFormat, tally: &Tally<'_>) -> String {
    match format {
        ReportFormat::Plain => report::plain::page(tally),
        ReportFormat::Markdown => report::markdown::page(tally),
        ReportFormat::Html => report::html::page(tally),
        ReportFormat::Json => report::json::page(tally),
    }
}

/// A file that a page can link to.
fn linkable(file: &Path) -> Option<PathBuf> {
    (file != Path::new("-") && file.is_file()).then(|| file.to_path_buf())
}

/// How far it has come, on one line of a terminal; silent elsewhere.
struct Progress {
    all: usize,
    said: Option<Instant>,
    terminal: bool,
}

impl Progress {
    fn new(all: usize) -> Progress {
        Progress { all, said: None, terminal: io::stderr().is_terminal() }
    }

    fn say(&mut self, done: usize) {
        if self.terminal && self.said.is_none_or(|said| said.elapsed() >= EVERY) {
            self.said = Some(Instant::now());
            let _closed = write!(io::stderr().lock(), "\rregreen: {done} of {} files read", self.all);
        }
    }
}

impl Drop for Progress {
    /// Leaves the line as it was.
    fn drop(&mut self) {
        if self.said.is_some() {
            let _closed = write!(io::stderr().lock(), "\r{:60}\r", "");
        }
    }
}
