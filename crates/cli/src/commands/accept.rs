//! `regreen patterns accept FILE` and `take-back ID`: what a person accepts of what was drafted, beside a fleet.

use std::{fs::File, io::Read, path::Path};

use regreen_catalog::LARGEST_CUSTOM_FILE;
use regreen_engine::LiveCatalog;
use regreen_server::act::{self, NotAccepted};

use crate::{
    args::{AcceptArgs, TakeBackArgs},
    commands::serve,
    context::{Context, runtime},
    custom::known_beside_a_fleet,
    exit::{FINE, Failed, NOTHING_TO_READ, PROBLEMS},
    output::print::print,
    record::{actor, now},
    voice,
};

/// Accepts it.
pub fn accept(context: &Context, args: &AcceptArgs) -> Result<u8, Failed> {
    let text = read(&args.file)?;
    runtime()?.block_on(async {
        let ledger = serve::open(context, &args.at).await?;
        let known = known_beside_a_fleet(context, args.config.as_deref(), &context.workspace()?)?;
        known.warnings.iter().for_each(|warning| voice::warning(context, warning));
        let catalog = LiveCatalog::new(known.catalog);
        match act::accept(&ledger, &catalog, &text, &actor(), now()).await? {
            Ok(name) => {
                print(&format!("{name} is accepted: it names such failures beside this ledger from now on\n"))
            }
            Err(why) => {
                let what = format!("{} is not accepted: {why}", args.file.display());
                let help = match why {
                    NotAccepted::Wrong(_) => "correct it, and see what `regreen patterns test` says of it",
                    _ => "`regreen patterns take-back ID` takes an accepted one back",
                };
                Err(Failed::new(PROBLEMS, what).help(help))
            }
        }
    })
}

/// Takes it back.
pub fn take_back(context: &Context, args: &TakeBackArgs) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        let ledger = serve::open(context, &args.at).await?;
        match act::take_back(&ledger, &args.id, &actor(), now()).await? {
            true => print(&format!("{} is taken back; what it named stays on record\n", args.id)),
            false => {
                Err(Failed::new(NOTHING_TO_READ, format!("no accepted pattern is called `{}`", args.id))
                    .help("the dashboard's *Patterns* and GET /api/v1/patterns say which are accepted"))
            }
        }
    })?;
    Ok(FINE)
}

fn read(path: &Path) -> Result<String, Failed> {
    let failed = |why: String| Failed::new(NOTHING_TO_READ, format!("{}: {why}", path.display()));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| failed(e.to_string()))?;
    file.take(LARGEST_CUSTOM_FILE as u64 + 1).read_to_end(&mut bytes).map_err(|e| failed(e.to_string()))?;
    if bytes.len() > LARGEST_CUSTOM_FILE {
        return Err(failed(format!("the file is larger than {} KiB", LARGEST_CUSTOM_FILE >> 10)));
    }
    String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))
}
