//! `regreen self check`: what this Regreen is, and whether what it reads is sound and not newer than itself.

use std::{
    env,
    fs::OpenOptions,
    path::{Path, PathBuf},
};

use regreen_catalog::{Catalog, Status};
use regreen_detect::model::Model;
use regreen_ledger::{IncidentFilter, LedgerError};
use sha2::{Digest, Sha256};

use crate::{
    args::{Format, Itself, SelfCheckArgs},
    config,
    context::{Context, catalog, runtime},
    custom,
    exit::{FINE, Failed, PROBLEMS},
    output::{
        itself::{Found, SelfCheckV1, Standing, json, plain},
        known::{patterns_json, playbooks_json},
        print::print,
    },
    record,
};

/// The version that this is.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Looks at it.
pub fn itself(context: &Context, command: &Itself) -> Result<u8, Failed> {
    let Itself::Check(args) = command;
    let catalog = catalog()?;
    let program = env::current_exe().ok();
    let mut checks = vec![configuration(context), own_patterns(context, args)?, state_folder(context)];
    checks.extend(ledger(context));
    let stable = catalog.patterns().iter().filter(|p| p.status == Status::Stable).count();
    let check = SelfCheckV1 {
        version: 1,
        regreen: VERSION,
        built_for: built_for(),
        update: update(program.as_deref()),
        program: program.map(|path| path.display().to_string()),
        patterns: [stable, catalog.patterns().len() - stable],
        playbooks: catalog.playbooks().len(),
        catalogue: catalogue_digest(&catalog),
        model: model_digest(),
        sound: checks.iter().all(|found| found.standing != Standing::Problem),
        checks,
    };
    print(&match args.format {
        Format::Plain => plain(&check),
        Format::Json => json(&check),
    })?;
    Ok(if check.sound { FINE } else { PROBLEMS })
}

fn built_for() -> String {
    let libc = if cfg!(target_env = "musl") { "static" } else { "glibc" };
    format!("{} {}, {libc}", env::consts::OS, env::consts::ARCH)
}

/// How to come by a newer one, by where the program lies.
fn update(program: Option<&Path>) -> &'static str {
    let path = program.map(|path| path.display().to_string()).unwrap_or_default();
    let at = |part: &str| path.contains(part);
    match () {
        () if at("/node_modules/") => "not looked up; npm install --global regreen@latest",
        () if at("/site-packages/") || at("/venv/") || at("/.venv/") => {
            "not looked up; pip install --upgrade regreen"
        }
        () if at("/Cellar/") || at("/homebrew/") => "not looked up; brew upgrade regreen",
        () if at("/.cargo/bin/") => "not looked up; git pull, then cargo install --path crates/cli --locked",
        () if path == "/usr/bin/regreen" => "not looked up; install the newest .deb of the releases",
        () if at("/target/") => "not looked up; git pull, then build again",
        () => "not looked up; take the newest of the releases",
    }
}

/// Everything that the catalogue says.
/// Tells one catalogue from another: 12 hex digits of the SHA-256 of all that it knows.
pub(in crate::commands) fn catalogue_digest(catalog: &Catalog) -> String {
    digest((patterns_json(catalog.patterns()) + &playbooks_json(catalog.playbooks())).as_bytes())
}

/// As [`catalogue_digest`], of the model.
pub(in crate::commands) fn model_digest() -> String {
    digest(&Model::builtin().encode())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn found(name: &'static str, standing: Standing, says: impl Into<String>) -> Found {
    Found { name, standing, says: says.into(), help: None }
}

fn problem(name: &'static str, failed: &Failed) -> Found {
    let says = failed.to_string();
    let says = says.split("\n  help:").next().unwrap_or_default().to_owned();
    Found { name, standing: Standing::Problem, says, help: failed.help.clone() }
}

fn configuration(context: &Context) -> Found {
    const NAME: &str = "configuration";
    let checked = context.workspace().and_then(|workspace| {
        config::operators(context, None, &workspace)?;
        config::operator_file(context, None, &workspace)
    });
    match checked {
        Ok(Some((path, _))) => found(NAME, Standing::Fine, format!("{} is sound", path.display())),
        Ok(None) => found(NAME, Standing::Fine, "no file of the operator's; the defaults hold"),
        Err(failed) => problem(NAME, &failed),
    }
}

fn own_patterns(context: &Context, args: &SelfCheckArgs) -> Result<Found, Failed> {
    const NAME: &str = "own patterns";
    let known = custom::known_here(context, args.own.patterns.as_deref(), None)?;
    let own = known.catalog.patterns().len() - catalog()?.patterns().len();
    Ok(match known.warnings.first() {
        None => found(NAME, Standing::Fine, own.to_string()),
        Some(first) => {
            let says = format!("{own}, and {} left out; the first: {first}", known.warnings.len());
            let help = Some("`regreen patterns test FILE` says what is wrong".to_owned());
            Found { help, ..found(NAME, Standing::Problem, says) }
        }
    })
}

/// Whether something can be kept, without keeping anything.
fn state_folder(context: &Context) -> Found {
    const NAME: &str = "state folder";
    let (root, temporary): (PathBuf, bool) = regreen_engine::state_root(&context.env);
    let there = root.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let shown = root.display();
    let scratch = there.join(format!(".regreen-{}", std::process::id()));
    if let Err(e) = OpenOptions::new().write(true).create_new(true).open(&scratch) {
        let says = format!("{shown} can't be written to: {e}");
        let help = Some("set XDG_STATE_HOME to a folder that only you can write to".to_owned());
        return Found { help, ..found(NAME, Standing::Problem, says) };
    }
    let _gone = std::fs::remove_file(&scratch);
    match temporary {
        true => found(NAME, Standing::Note, format!("{shown}, which is lost with this machine (no HOME)")),
        false => found(NAME, Standing::Fine, shown.to_string()),
    }
}

/// Whether what is on record can be read, and was written by nothing newer.
fn ledger(context: &Context) -> Vec<Found> {
    const NAME: &str = "ledger";
    let looked = runtime().and_then(|runtime| {
        runtime.block_on(async {
            let Some(ledger) = record::read(context).await? else { return Ok(None) };
            let filter = IncidentFilter { limit: 1, ..IncidentFilter::default() };
            Ok(Some((ledger.place().to_owned(), ledger.incidents(&filter).await?)))
        })
    });
    let (place, newest) = match looked {
        Ok(Some(looked)) => looked,
        Ok(None) => return vec![found(NAME, Standing::Fine, record::nothing(context).trim_end())],
        Err(failed) => return vec![unreadable(NAME, &failed)],
    };
    let mut all = vec![found(NAME, Standing::Fine, format!("{place} is read"))];
    let by =
        newest.first().and_then(|incident| incident.inputs.as_ref()).map(|inputs| inputs.regreen.clone());
    if let Some(by) = by.filter(|by| is_newer(by, VERSION)) {
        let says = format!("out of date: the newest incident was decided by regreen {by}");
        let help = Some("bring this one up to that version".to_owned());
        all.push(Found { help, ..found("version", Standing::Problem, says) });
    }
    all
}

fn unreadable(name: &'static str, failed: &Failed) -> Found {
    match failed.error.downcast_ref::<LedgerError>() {
        Some(LedgerError::Older { .. }) => {
            found(name, Standing::Note, format!("{}; the next run does so", failed.error))
        }
        _ => problem(name, failed),
    }
}

/// Whether one version comes after another.
fn is_newer(one: &str, other: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        let release = version.split(['-', '+']).next().unwrap_or_default();
        release.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(one) > numbers(other)
}

#[cfg(test)]
mod tests {
    use super::{is_newer, update};
    use std::path::Path;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (one, other, newer) in
            [("0.10.0", "0.9.9", true), ("0.1.0", "0.1.0", false), ("0.1.0", "1.0.0", false)]
        {
            assert_eq!(is_newer(one, other), newer, "{one} {other}");
        }
    }

    #[test]
    fn how_to_update_follows_from_where_the_program_lies() {
        for (path, how) in [
            ("/usr/bin/regreen", ".deb"),
            ("/home/a/.cargo/bin/regreen", "cargo install"),
            ("/usr/lib/node_modules/regreen-linux-x64/bin/regreen", "npm"),
            ("/home/a/.venv/bin/regreen", "pip"),
        ] {
            assert!(update(Some(Path::new(path))).contains(how), "{path}");
        }
    }
}
