//! A `.crate` file, and where its name stands in a sparse index.

use super::archive::tar_gz;
use super::{Edition, Release, greeting};

pub(super) fn crate_file(release: Release, edition: Edition) -> Vec<u8> {
    let Release { name, version, needs } = release;
    let dependencies: String = needs.iter().map(|needed| format!("{needed} = \"1\"\n")).collect();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n\
         description = \"a package of the Regreen lab\"\nlicense = \"MIT\"\n\n[dependencies]\n{dependencies}"
    );
    let code = format!(
        "//! A package of the Regreen lab.\n\n/// Which package this is.\npub fn greeting() -> &'static str {{\n    {:?}\n}}\n",
        greeting(release, edition)
    );
    tar_gz(&[
        (format!("{name}-{version}/Cargo.toml"), manifest),
        (format!("{name}-{version}/src/lib.rs"), code),
    ])
}

/// Where the index keeps a crate: `re/gr/regreen-lab-alpha`. The lab's names all have four letters or more.
pub(crate) fn index_path(name: &str) -> String {
    format!("{}/{}/{name}", &name[..2], &name[2..4])
}
