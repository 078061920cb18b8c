//! `regreen cache check [TOOL…]`: every cache read, and what is damaged in it named.

use std::time::Instant;

use regreen_tools::cache::Asked;

use super::{
    select::{Here, select},
    watching::watched,
};
use crate::{
    args::{CacheCheckArgs, Format},
    context::{Context, runtime},
    exit::{FINE, Failed, INTERRUPTED, PROBLEMS},
    output::{
        cache::{Checked, json, plain},
        print::print,
    },
};

/// Checks the caches in the order of `cache::all`. One that can't be read does not stop the rest.
pub fn check(context: &Context, args: &CacheCheckArgs) -> Result<u8, Failed> {
    let (here, missing) = select(context, &args.caches)?;
    let mut codes: Vec<u8> = missing.into_iter().collect();
    runtime()?.block_on(async {
        for here in here {
            let checked = look(context, &here).await?;
            match args.format {
                Format::Plain => print(&plain::checked(&checked, context.colour_stdout()))?,
                Format::Json => print(&json::checked(&checked))?,
            };
            if !checked.scan.damaged.is_empty() {
                codes.push(PROBLEMS);
            }
            if checked.scan.interrupted {
                codes.push(INTERRUPTED);
                break;
            }
        }
        Ok([INTERRUPTED, PROBLEMS]
            .into_iter()
            .find(|c| codes.contains(c))
            .or(codes.first().copied())
            .unwrap_or(FINE))
    })
}

/// Reads one cache and says what its damaged entries hold. The lockfile of the folder in which this was started is not asked:
/// nothing has looked whether it can be believed.
///
/// # Errors
/// [`watched`]'s.
pub async fn look(context: &Context, here: &Here) -> Result<Checked, Failed> {
    let (cache, root) = (here.cache, here.root.clone());
    let begun = Instant::now();
    let (scan, origins) = watched(context, cache.id(), move |watch| {
        let scan = cache.scan(&root, &Asked { workspace: None, watch });
        let paths: Vec<_> = scan.damaged.iter().map(|d| d.path.clone()).collect();
        let origins = if paths.is_empty() { Vec::new() } else { cache.origins(&root, &paths) };
        (scan, origins)
    })
    .await?;
    Ok(Checked {
        cache,
        root: here.root.clone(),
        scan,
        origins,
        took: begun.elapsed(),
        masker: context.masker(),
    })
}
