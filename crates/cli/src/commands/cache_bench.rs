//! `regreen bench cache`: one made-up cache in npm's own layout, checked by Regreen and by npm in turn.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use regreen_process::{
    Status,
    quiet::{self, QuietCommand},
};
use regreen_tools::cache::{Asked, Watch, by_id, npm_entry};
use serde_json::json;

use crate::{
    args::{CacheBenchArgs, Format},
    context::{Context, runtime},
    exit::{BUG, Failed, NOTHING_TO_READ},
    output::print::{line, print},
};

/// Longest that npm may take for one look.
const PATIENCE: Duration = Duration::from_secs(1800);

/// Builds the cache, has it checked, and prints how much faster Regreen was.
pub fn cache(context: &Context, args: &CacheBenchArgs) -> Result<u8, Failed> {
    let folder =
        Folder::make().map_err(|e| Failed::new(NOTHING_TO_READ, format!("the temporary folder: {e}")))?;
    let root = folder.0.join("_cacache");
    let fail = |e: io::Error| Failed::new(NOTHING_TO_READ, format!("{}: {e}", root.display()));
    let entries = fill(&root, args.size.saturating_mul(1_000_000)).map_err(fail)?;
    let npm = by_id("npm").ok_or_else(|| Failed::new(BUG, "npm's cache is not known"))?;
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    let mut bytes = 0;
    for _ in 0..args.runs {
        let begun = Instant::now();
        let scan = npm.scan(&root, &Asked { workspace: None, watch: &Watch::default() });
        ours.push(begun.elapsed());
        bytes = scan.bytes;
        if !scan.damaged.is_empty() || scan.checked < entries {
            return Err(Failed::new(BUG, "the made-up cache is not found to be sound"));
        }
        theirs.push(runtime()?.block_on(verify(context, &folder.0))?);
    }
    let fastest = |all: &[Duration]| all.iter().min().copied().unwrap_or_default().as_secs_f64();
    let (regreen, npm) = (fastest(&ours), fastest(&theirs));
    let times = npm / regreen.max(1e-9);
    print(&match args.format {
        Format::Plain => format!(
            "a cache of {entries} packages, {:.0} MB; the fastest of {} runs each\n\
             regreen cache check  {:8.2} s  {:6.0} MB/s\n\
             npm cache verify     {npm:8.2} s  {:6.0} MB/s\n{times:.1} times as fast\n",
            bytes as f64 / 1e6,
            args.runs,
            regreen,
            bytes as f64 / 1e6 / regreen,
            bytes as f64 / 1e6 / npm,
        ),
        Format::Json => line(&json!({
            "version": 1, "packages": entries, "bytes": bytes, "runs": args.runs,
            "regreen_ms": (regreen * 1e6).round() / 1e3, "npm_ms": (npm * 1e6).round() / 1e3,
            "times": (times * 10.0).round() / 10.0,
        })),
    })
}

/// `npm cache verify` on the folder. Deletes nothing there: all of it is referred to.
async fn verify(context: &Context, folder: &Path) -> Result<Duration, Failed> {
    let mut env = context.env.clone();
    env.insert("npm_config_logs_max".into(), "0".into());
    env.insert("npm_config_update_notifier".into(), "false".into());
    let command = QuietCommand {
        cwd: Some(folder.to_owned()),
        env: env.into_iter().collect(),
        timeout: PATIENCE,
        ..QuietCommand::new(["npm", "cache", "verify", "--cache", &folder.display().to_string()])
    };
    let begun = Instant::now();
    let ran = quiet::run(command).await.map_err(|e| {
        Failed::new(NOTHING_TO_READ, e).help("this measures beside npm, which must be installed")
    })?;
    let took = begun.elapsed();
    if ran.timed_out || ran.status != Status::Exit(0) {
        let said = String::from_utf8_lossy(&ran.stderr.bytes).trim().to_owned();
        return Err(Failed::new(NOTHING_TO_READ, format!("npm cache verify failed: {said}")));
    }
    Ok(took)
}

/// Fills a cache with packages whose sizes are spread as in a real one: most are small, a few are of megabytes; 195 kB
/// on average. The same bytes each time. Gives how many there are.
fn fill(root: &Path, bytes: u64) -> io::Result<u64> {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut made = 0;
    let mut entries = 0;
    let mut content = Vec::new();
    while made < bytes {
        let (from, to) = match next() % 100 {
            0..70 => (2_000, 40_000),
            70..95 => (40_000, 400_000),
            _ => (1_000_000, 4_000_000),
        };
        let length = (from + next() % (to - from)).min(bytes - made);
        content.clear();
        while (content.len() as u64) < length {
            content.extend(next().to_le_bytes());
        }
        content.truncate(usize::try_from(length).unwrap_or(0));
        let url = format!("https://registry.npmjs.org/package-{entries}/-/package-{entries}-1.0.0.tgz");
        for (path, bytes) in npm_entry(&format!("make-fetch-happen:request-cache:{url}"), &content) {
            let path = root.join(path);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, bytes)?;
        }
        made += length;
        entries += 1;
    }
    Ok(entries)
}

/// A temporary folder that is gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn make() -> io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("regreen-bench-cache-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left_to_the_system = fs::remove_dir_all(&self.0);
    }
}
