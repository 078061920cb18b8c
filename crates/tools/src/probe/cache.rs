//! Does the cache hold entries whose bytes contradict their own address?

use regreen_domain::{Finding, HealableClass::CacheCorruption, Standing};

use super::finding;
use crate::adapter::{Adapter, Job};

/// Reads the cache that the job uses.
pub async fn cache(job: &Job, adapter: &'static dyn Adapter) -> Vec<Finding> {
    let tool = adapter.tool();
    let say = |standing, subject: &str, says: String| {
        vec![finding("cache", tool.clone(), CacheCorruption, standing, subject, says)]
    };
    let Some(root) = adapter.cache_root(job).await else {
        return say(Standing::CannotTell, "", format!("no cache of {tool} is known here"));
    };
    let job = job.clone();
    let scan = tokio::task::spawn_blocking(move || adapter.scan_cache(&job, &root)).await;
    match scan {
        Err(e) => say(Standing::CannotTell, "", format!("the cache could not be read: {e}")),
        Ok(scan) => match (scan.damaged.as_slice(), scan.unreadable.len()) {
            ([], 0) => say(Standing::Refutes, "", format!("all {} cache entries are sound", scan.checked)),
            ([], n) => say(Standing::CannotTell, "", format!("{n} cache entries can't be read")),
            ([first, rest @ ..], _) => {
                let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
                let says = format!("the cache entry {}{more} is damaged: {}", first.path, first.why);
                say(Standing::Confirms, first.path.as_str(), says)
            }
        },
    }
}
