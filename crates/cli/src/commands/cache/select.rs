//! Which caches are meant, and where they are.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use regreen_show::harmless::harmless;
use regreen_tools::{
    Cache, Workspace,
    cache::{all, folder, named},
};

use crate::{
    args::Caches,
    commands::report,
    context::Context,
    exit::{Failed, NOTHING_TO_READ, USAGE},
};

/// A cache that is there.
#[derive(Clone)]
pub struct Here {
    /// Which.
    pub cache: &'static dyn Cache,
    /// Its folder.
    pub root: PathBuf,
}

/// The caches that are meant, and the exit code that those which are missing ask for.
///
/// # Errors
/// An unknown name, or no cache at all.
pub fn select(context: &Context, args: &Caches) -> Result<(Vec<Here>, Option<u8>), Failed> {
    let workspace = context.workspace()?;
    let mut wanted: Vec<&'static dyn Cache> = Vec::new();
    for name in &args.tools {
        let caches = named(name);
        if caches.is_empty() {
            return Err(unknown(name));
        }
        wanted.extend(caches);
    }
    let mut seen = BTreeSet::new();
    wanted.retain(|cache| seen.insert(cache.id()));
    if let Some(path) = &args.path {
        return Ok((vec![at(path, &workspace, &wanted)?], None));
    }
    let place =
        |cache: &&'static dyn Cache| folder(*cache, &workspace).map(|root| Here { cache: *cache, root });
    let is_there = |here: &Here| here.cache.is_there(&here.root);
    if wanted.is_empty() {
        let here: Vec<_> =
            all().iter().filter(|c| !c.by_name_only()).filter_map(place).filter(is_there).collect();
        if here.is_empty() {
            let help = "name a cache's folder with --path; with a cache's name, e.g. npm, it says where that was looked for";
            return Err(Failed::new(NOTHING_TO_READ, "no known cache is on this machine").help(help));
        }
        return Ok((here, None));
    }
    let found: Vec<Here> = wanted.iter().filter_map(place).filter(is_there).collect();
    let mut code = None;
    // Of a tool with several caches, one is enough.
    let missing = args.tools.iter().filter(|name| {
        !found.iter().any(|here| here.cache.id() == name.as_str() || here.cache.tool() == name.as_str())
    });
    for name in missing {
        let places: Vec<String> = named(name)
            .into_iter()
            .filter_map(|cache| folder(cache, &workspace))
            .map(|root| harmless(&context.masker().mask(&root.display().to_string())))
            .collect();
        let daemon = named(name).iter().all(|cache| cache.by_name_only());
        let what = match places.as_slice() {
            [] if daemon => {
                format!("no daemon of {name} is known on this machine: DOCKER_HOST is no unix:// path")
            }
            [socket] if daemon => format!("no daemon of {name} answers at {socket}"),
            [] => format!("it is not known where the cache of {name} is: there is no HOME"),
            places => format!("there is no cache of {name}: {} is not there", places.join(", ")),
        };
        let help = match daemon {
            true => "start it, or set DOCKER_HOST to the path of its socket",
            false => "name its folder with --path",
        };
        code = Some(report(context, &Failed::new(NOTHING_TO_READ, what).help(help)));
    }
    Ok((found, code))
}

fn unknown(name: &str) -> Failed {
    let known: Vec<&str> = all().iter().map(|c| c.id()).collect();
    Failed::new(USAGE, format!("no cache is known of `{}`", harmless(name)))
        .help(format!("known caches: {}", known.join(", ")))
}

/// The cache in a folder that was named.
fn at(path: &Path, workspace: &Workspace, wanted: &[&'static dyn Cache]) -> Result<Here, Failed> {
    let shown = harmless(&path.display().to_string());
    let root = workspace.root.join(path);
    let root = root.canonicalize().map_err(|e| Failed::new(NOTHING_TO_READ, format!("{shown}: {e}")))?;
    if !root.is_dir() {
        return Err(Failed::new(NOTHING_TO_READ, format!("{shown} is no folder")));
    }
    let candidates = if wanted.is_empty() { all() } else { wanted };
    let mut fitting = candidates.iter().copied().filter(|c| c.is_at(&root));
    match (fitting.next(), wanted) {
        (Some(cache), _) => Ok(Here { cache, root }),
        // Named outright: an empty cache looks like nothing.
        (None, [cache]) if root.read_dir().is_ok_and(|mut d| d.next().is_none()) => {
            Ok(Here { cache: *cache, root })
        }
        (None, []) => Err(Failed::new(NOTHING_TO_READ, format!("{shown} does not look like a known cache"))
            .help("say whose cache it is: regreen cache check TOOL --path DIR")),
        (None, _) => {
            let names: Vec<&str> = wanted.iter().map(|c| c.id()).collect();
            let what = format!("{shown} does not look like a cache of {}", names.join(" or "));
            Err(Failed::new(NOTHING_TO_READ, what)
                .help("name the folder that the tool itself calls its cache"))
        }
    }
}
