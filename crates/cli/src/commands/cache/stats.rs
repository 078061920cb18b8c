//! `regreen cache stats [TOOL…]`: sizes and uses, from the file system alone.

use super::{select::select, watching::watched};
use crate::{
    args::{CacheStatsArgs, Format},
    context::{Context, runtime},
    exit::{FINE, Failed, INTERRUPTED},
    output::{
        cache::{Counted, json, plain},
        print::print,
    },
};

/// Counts the caches in the order of `cache::all`.
pub fn stats(context: &Context, args: &CacheStatsArgs) -> Result<u8, Failed> {
    let (here, missing) = select(context, &args.caches)?;
    runtime()?.block_on(async {
        let mut total = (0, 0, 0);
        for here in here {
            let (cache, root) = (here.cache, here.root.clone());
            let stats = watched(context, cache.id(), move |watch| cache.stats(&root, watch)).await?;
            let interrupted = stats.interrupted;
            total = (total.0 + 1, total.1 + stats.files, total.2 + stats.bytes);
            let of = Counted { cache: here.cache, root: here.root, stats, masker: context.masker() };
            match args.format {
                Format::Plain => print(&plain::counted(&of))?,
                Format::Json => print(&json::counted(&of))?,
            };
            if interrupted {
                return Ok(INTERRUPTED);
            }
        }
        if args.format == Format::Plain && total.0 > 1 {
            print(&plain::total(total.0, total.1, total.2))?;
        }
        Ok(missing.unwrap_or(FINE))
    })
}
