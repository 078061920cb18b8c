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
    let get: String =
        install.shell_if_it_can_be_had().lines().map(|line| format!("        {line}\n")).collect();
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

#[cfg(test)]
mod tests {
    use regreen_domain::Mode;

    use super::{super::install::Install, text};

    /// The jobs of the component are these, with its inputs in place of what is written.
    #[test]
    fn the_component_has_the_same_jobs() {
        let component =
            include_str!("../../../../../integrations/gitlab/templates/infrastructure-auto-healing.yml");
        let (_, jobs) = component.split_once("\n---\n").unwrap();
        let written = text(Mode::Observe, &Install::Release { sha256: "$[[ inputs.sha256 ]]".to_owned() });
        let (_, written) = written.split_once("\n\n.regreen-setup:").unwrap();
        let mut expected = format!(".regreen-setup:{written}");
        for (from, to) in [
            (env!("CARGO_PKG_VERSION"), "$[[ inputs.version ]]"),
            ("${REGREEN_MODE:-observe}", "${REGREEN_MODE:-$[[ inputs.mode ]]}"),
            ("stage: test\n", "stage: $[[ inputs.stage ]]\n"),
        ] {
            assert!(expected.contains(from), "{from}");
            expected = expected.replace(from, to);
        }
        assert_eq!(jobs, expected);
    }
}
