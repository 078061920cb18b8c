//! The file for GitLab's pipelines, as it is written.

use regreen_domain::Mode;

use super::{install::Install, template::filled};

/// Where it is written.
pub const FILE: &str = ".gitlab/ci/infrastructure-auto-healing.yml";
const TEMPLATE: &str = include_str!("gitlab.yml");

/// The file's text, without the line that says where it comes from.
pub fn text(mode: Mode, install: &Install) -> String {
    let env = install.env();
    let env: String = env.lines().map(|line| format!("    {line}\n")).collect();
    let get: String = install.shell().lines().map(|line| format!("        {line}\n")).collect();
    let (image, cache) = match install {
        Install::Release { .. } => ("image: buildpack-deps:stable-curl", ""),
        Install::Source => ("image: rust:1", "      - regreen-built/"),
    };
    let values = [
        ("VERSION", env!("CARGO_PKG_VERSION")),
        ("MODE", mode.id()),
        ("IMAGE", image),
        ("SETUP_MINUTES", install.minutes()),
    ];
    filled(TEMPLATE, &values, |part| match part {
        "INSTALL_ENV" => Some(env.trim_end().to_owned()),
        "GET" => Some(get.trim_end().to_owned()),
        "CACHE" => Some(cache.to_owned()),
        _ => None,
    })
}
