//! An operator's own playbooks: those of the folder that the operator's configuration names, outside the checkout. A
//! repository can never bring one. What is wrong with one is a warning; Regreen goes on without it.

use std::{fs, io, path::Path};

use regreen_catalog::{Catalog, LARGEST_CUSTOM_FILE, MOST_CUSTOM_FILES, WithOwn};
use regreen_engine::check_own_playbook;
use regreen_tools::Workspace;

use crate::{
    config,
    context::{Context, catalog},
    custom::Known,
    exit::{Failed, INVALID},
};

/// The built-in playbooks and the operator's, for a command that only reads.
///
/// # Errors
/// The operator's configuration.
pub fn known_here(context: &Context) -> Result<Known, Failed> {
    let Ok(workspace) = context.workspace() else {
        return Ok(Known { catalog: catalog()?, warnings: Vec::new() });
    };
    with(context, None, &workspace, catalog()?)
}

/// This catalogue with the operator's playbooks.
///
/// # Errors
/// The operator's configuration, and a folder that lies in the checkout.
pub fn with(
    context: &Context,
    config: Option<&Path>,
    workspace: &Workspace,
    catalog: Catalog,
) -> Result<Known, Failed> {
    let Some((folder, allow_commands)) = config::playbooks_folder(context, config, workspace)? else {
        return Ok(Known { catalog, warnings: Vec::new() });
    };
    if folder.canonicalize().is_ok_and(|folder| folder.starts_with(workspace.checkout())) {
        let what = format!("{} lies inside the checkout, which can bring no playbooks", folder.display());
        return Err(Failed::new(INVALID, what).help("keep the operator's playbooks outside the repository"));
    }
    let mut warnings = Vec::new();
    let files = match files(&folder, &mut warnings) {
        Ok(files) => files,
        Err(e) => {
            warnings.push(format!("without the operator's playbooks: {}: {e}", folder.display()));
            Vec::new()
        }
    };
    let check = |catalog: &Catalog, playbook: &_| check_own_playbook(catalog, playbook, allow_commands);
    let WithOwn { catalog, refused } = catalog.with_own_playbooks(&files, &check);
    warnings.extend(refused.iter().map(|e| format!("this playbook is left out: {e}")));
    Ok(Known { catalog, warnings })
}

/// The files of the folder by name, with their texts.
fn files(folder: &Path, warnings: &mut Vec<String>) -> io::Result<Vec<(String, String)>> {
    let mut paths: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml") && path.is_file());
    paths.sort();
    if paths.len() > MOST_CUSTOM_FILES {
        warnings.push(format!(
            "{}: there are more than {MOST_CUSTOM_FILES} playbooks; the first ones by name count",
            folder.display()
        ));
        paths.truncate(MOST_CUSTOM_FILES);
    }
    let mut files = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let large = fs::metadata(&path)?.len() > LARGEST_CUSTOM_FILE as u64;
        match (large, fs::read_to_string(&path)) {
            (true, _) => warnings.push(format!("this playbook is left out: {name}: it is too large")),
            (false, Ok(text)) => files.push((name, text)),
            (false, Err(e)) => warnings.push(format!("this playbook is left out: {name}: {e}")),
        }
    }
    Ok(files)
}
