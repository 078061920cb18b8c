//! Which indexes uv is configured to use. Source: uv's documentation, "Package indexes" and "Configuration files".

use std::{fs, path::PathBuf};

use super::argv::Asked;
use crate::{adapter::Job, python::PYPI};

/// The addresses of all indexes, the default one first.
pub(super) fn indexes(job: &Job, asked: &Asked<'_>) -> Vec<String> {
    let files = if asked.has("--no-config") || job.workspace.var("UV_NO_CONFIG").is_some() {
        Vec::new()
    } else {
        configurations(job, asked)
    };
    let configured: Vec<Index> = files.iter().flat_map(of_file).collect();
    let set = |options: &[&str], variables: &[&str]| {
        let given = asked.value(options).map(str::to_owned);
        given.or_else(|| variables.iter().find_map(|v| job.workspace.var(v)).map(str::to_owned))
    };
    let default = set(&["--default-index", "--index-url", "-i"], &["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
        .or_else(|| configured.iter().find(|i| i.default).map(|i| i.url.clone()))
        .unwrap_or_else(|| PYPI.to_owned());
    let mut all = vec![address(&default).to_owned()];
    all.extend(asked.values(&["--index", "--extra-index-url"]).into_iter().map(str::to_owned));
    for variable in ["UV_INDEX", "UV_EXTRA_INDEX_URL"] {
        all.extend(job.workspace.var(variable).unwrap_or_default().split_whitespace().map(str::to_owned));
    }
    all.extend(configured.into_iter().filter(|i| !i.default).map(|i| i.url));
    all.iter().map(|url| address(url).to_owned()).collect()
}

/// An index on the command line may have a name: `name=https://…`.
fn address(index: &str) -> &str {
    match index.split_once('=') {
        Some((name, url)) if !name.contains([':', '/']) => url,
        _ => index,
    }
}

struct Index {
    url: String,
    default: bool,
}

fn of_file(table: &toml::Table) -> Vec<Index> {
    let text = |value: Option<&toml::Value>| value.and_then(|v| v.as_str()).map(str::to_owned);
    let mut found = Vec::new();
    for index in table.get("index").and_then(|i| i.as_array()).into_iter().flatten() {
        if let Some(url) = text(index.get("url")) {
            found.push(Index { url, default: index.get("default").and_then(|d| d.as_bool()) == Some(true) });
        }
    }
    found.extend(text(table.get("index-url")).map(|url| Index { url, default: true }));
    let extra = table.get("extra-index-url").and_then(|e| e.as_array()).into_iter().flatten();
    found.extend(extra.filter_map(|e| Some(Index { url: e.as_str()?.to_owned(), default: false })));
    found
}

/// uv's settings, the nearest first: the project's and its workspace's, the user's, the system's.
fn configurations(job: &Job, asked: &Asked<'_>) -> Vec<toml::Table> {
    let read = |path: PathBuf| fs::read_to_string(path).ok()?.parse::<toml::Table>().ok();
    if let Some(file) = asked.value(&["--config-file"]).or(job.workspace.var("UV_CONFIG_FILE")) {
        return read(job.workspace.root.join(file)).into_iter().collect();
    }
    let root = asked.below(job, "").map(|folder| job.workspace.root.join(folder));
    let mut found = Vec::new();
    for folder in root.iter().flat_map(|root| root.ancestors()) {
        // Where both are there, uv reads `uv.toml` alone.
        let own = read(folder.join("uv.toml")).or_else(|| {
            let project = read(folder.join("pyproject.toml"))?;
            project.get("tool")?.get("uv")?.as_table().cloned()
        });
        found.extend(own);
    }
    let home = job.workspace.var("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(job.workspace.home()?.join(".config")));
    found.extend(home.and_then(|home| read(home.join("uv/uv.toml"))));
    found.extend(read(PathBuf::from("/etc/uv/uv.toml")));
    found
}
