//! `regreen lockfile check [PATH…]`: what is wrong with lockfiles, without the network and without their tools.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use regreen_engine::{Event, Voice};
use regreen_lockfile::{AllowedHost, Format, Severity, examine, examine_agreement};
use regreen_mask::Masker;
use regreen_show::harmless::harmless;

use super::against::Against;
use crate::{
    args::{CheckArgs, CheckFormat},
    commands::report,
    config,
    context::{Context, runtime},
    exit::{FINE, Failed, NOTHING_TO_READ, PROBLEMS},
    lockfiles,
    output::{
        lockfile::{Changes, Checked, json, plain, sarif},
        print::print,
    },
    voice::Terminal,
};

/// Checks every lockfile in the order given. One that can't be read does not stop the rest.
pub fn check(context: &Context, args: &CheckArgs) -> Result<u8, Failed> {
    let workspace = context.workspace()?;
    let configured = config::operators(context, args.config.as_deref(), &workspace)?.allowed_hosts;
    let allowed = (configured.is_some() || !args.allow_host.is_empty())
        .then(|| configured.into_iter().flatten().chain(args.allow_host.iter().cloned()).collect::<Vec<_>>());
    runtime()?.block_on(async {
        let against = match &args.against {
            Some(typed) => Some(Against::new(workspace, typed).await?),
            None => None,
        };
        let checker = Checker { masker: &context.masker(), allowed: allowed.as_deref(), against };
        let mut codes = Vec::new();
        let mut all = Vec::new();
        for (path, format) in files(context, args, checker.against.as_ref(), &mut codes) {
            match checker.check(&path, format).await {
                Ok(checked) => {
                    codes.push(if checked.worst() == Some(Severity::Error) { PROBLEMS } else { FINE });
                    match args.format {
                        CheckFormat::Plain => print(&plain::checked(&checked, context.colour_stdout()))?,
                        CheckFormat::Json => print(&json::checked(&checked))?,
                        CheckFormat::Sarif => FINE,
                    };
                    all.push(checked);
                }
                Err(failed) => codes.push(report(context, &failed)),
            }
        }
        if args.format == CheckFormat::Sarif {
            print(&sarif::document(&all))?;
        }
        Ok([NOTHING_TO_READ, PROBLEMS].into_iter().find(|code| codes.contains(code)).unwrap_or(FINE))
    })
}

/// The lockfiles to check, each once.
fn files(
    context: &Context,
    args: &CheckArgs,
    against: Option<&Against>,
    codes: &mut Vec<u8>,
) -> Vec<(PathBuf, Format)> {
    let mut files: Vec<(PathBuf, Format)> = Vec::new();
    for typed in &args.paths {
        let found = lockfiles::find(typed);
        let (more, gone) = match against.filter(|_| typed.is_dir()) {
            Some(against) => against.left_out(typed, found.as_deref().unwrap_or_default()),
            None => (Vec::new(), Vec::new()),
        };
        for path in &gone {
            let since = args.against.as_deref().unwrap_or_default();
            let words = format!("the lockfile {} of {since} is gone", harmless(path));
            Terminal::new(context).tell(Event::Warning(&words));
        }
        match found {
            Err(e) if more.is_empty() => {
                let what = format!("{}: {e}", harmless(&typed.display().to_string()));
                let help = lockfiles::names_known();
                codes.push(report(context, &Failed::new(NOTHING_TO_READ, what).help(help)));
            }
            found => files.extend(found.unwrap_or_default()),
        }
        files.extend(more);
    }
    let mut seen = BTreeSet::new();
    files.retain(|(path, _)| seen.insert(path.clone()));
    files
}

struct Checker<'c> {
    masker: &'c Masker,
    allowed: Option<&'c [AllowedHost]>,
    against: Option<Against>,
}

impl Checker<'_> {
    async fn check(&self, path: &Path, format: Format) -> Result<Checked, Failed> {
        let shown = harmless(&self.masker.mask(&path.display().to_string()));
        let bytes =
            lockfiles::read(path).map_err(|e| Failed::new(NOTHING_TO_READ, format!("{shown}: {e}")))?;
        let format = format.of_content(&bytes);
        let examined = examine(format, &bytes, self.allowed);
        let mut findings = examined.findings;
        let agreement = examined.lockfile.as_ref().map(|lockfile| lockfiles::agreement(path, lockfile));
        findings.extend(agreement.iter().flat_map(examine_agreement));
        let mut compared = None;
        if let Some(against) = &self.against {
            let mut found = against.compare(path, format, examined.lockfile.as_ref()).await;
            if let Changes::Since(_, judged) = &mut found.changes {
                findings.append(judged);
            }
            compared = Some(found);
        }
        findings.sort_by_key(|f| f.line);
        let text = String::from_utf8_lossy(&bytes);
        Ok(Checked::new(
            shown,
            format,
            examined.lockfile.as_ref(),
            &text,
            findings,
            agreement,
            compared,
            self.masker,
        ))
    }
}
