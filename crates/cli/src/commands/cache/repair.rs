//! `regreen cache repair [TOOL…]`: what is damaged is taken out, and fetched anew where that is asked.

use std::sync::Arc;

use regreen_domain::Outcome;
use regreen_engine::{CacheRepair, CacheRepaired};
use regreen_tools::Job;

use super::{
    check::look,
    select::{Here, select},
};
use crate::{
    args::{CacheRepairArgs, Format},
    config,
    context::{Context, catalog, runtime, unless_interrupted},
    exit::{FINE, Failed, INTERRUPTED, REFUSED, ROLLED_BACK, STUCK},
    output::{
        cache::{Checked, Repaired, json, plain},
        print::print,
    },
    voice::Terminal,
};

/// Repairs the caches in the order of `cache::all`. One that can't be repaired does not stop the rest.
pub fn repair(context: &Context, args: &CacheRepairArgs) -> Result<u8, Failed> {
    let (here, missing) = select(context, &args.caches)?;
    let mut codes: Vec<u8> = missing.into_iter().collect();
    runtime()?.block_on(async {
        for here in here {
            let checked = look(context, &here).await?;
            if checked.scan.interrupted {
                return Ok(INTERRUPTED);
            }
            let repaired = one(context, args, &here, &checked).await?;
            codes.push(match &repaired {
                Some(CacheRepaired::Refused(_)) => REFUSED,
                Some(CacheRepaired::Ended { outcome: Outcome::Stuck, .. }) => STUCK,
                Some(CacheRepaired::Ended { outcome: Outcome::RolledBack, .. }) => ROLLED_BACK,
                _ => FINE,
            });
            let of = Repaired { checked, repaired };
            match args.format {
                Format::Plain => print(&plain::repaired(&of, context.colour_stdout()))?,
                Format::Json => print(&json::repaired(&of))?,
            };
        }
        let worst = [STUCK, ROLLED_BACK, REFUSED].into_iter().find(|code| codes.contains(code));
        Ok(worst.or(codes.first().copied()).unwrap_or(FINE))
    })
}

/// `None` where there is nothing to repair.
async fn one(
    context: &Context,
    args: &CacheRepairArgs,
    here: &Here,
    checked: &Checked,
) -> Result<Option<CacheRepaired>, Failed> {
    if let Some(by_hand) = here.cache.by_hand() {
        return Ok(Some(CacheRepaired::Refused(by_hand.to_owned())));
    }
    let workspace = context.workspace()?;
    let (state, _) = context.state(&workspace);
    // What a killed repair has moved aside looks sound here: it is brought to its end all the same.
    let unfinished = !args.dry_run && state.open_marker().exists();
    if checked.scan.damaged.is_empty() && !unfinished {
        return Ok(None);
    }
    let voice = Arc::new(Terminal::new(context));
    let mut config = config::load(context, args.config.as_deref(), &workspace, &*voice).await?;
    config.apply_flags(None, false, false, args.dry_run);
    let engine = regreen_engine::Engine {
        catalog: Arc::new(catalog()?),
        config: config.into_engine(),
        masker: context.masker(),
        voice,
        counsellor: None,
    };
    let job = Job { workspace, argv: vec![here.cache.tool().to_owned()] };
    let wanted = CacheRepair {
        cache: here.cache,
        root: here.root.clone(),
        scan: checked.scan.clone(),
        prefetch: args.prefetch,
        registry: args.registry.clone(),
    };
    let work = async { Ok(engine.repair_cache(&job, &state, &wanted).await?) };
    let repaired = unless_interrupted(work).await?;
    // Where nothing is damaged, there is nothing to refuse.
    let refused = matches!(repaired, CacheRepaired::Refused(_));
    Ok(Some(repaired).filter(|_| !(refused && checked.scan.damaged.is_empty())))
}
