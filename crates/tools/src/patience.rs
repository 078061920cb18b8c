//! How each tool is told to be patient: its own settings for retries and time-outs, as data. A repeated command gets
//! them by its environment, so that the tool asks again for the one file that failed, and not everything once more.
//!
//! What the user has set higher stays, wherever it stands: in the environment, or in a file that the tool reads. A
//! time-out that the user has set at all stays as it is.

use std::{fs, path::PathBuf};

use regreen_domain::Tool;

use crate::adapter::{Job, Overlay};

/// What went wrong on the wire, as far as it changes how a tool shall ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trouble {
    /// The tool complained of HTTP/2 itself.
    pub framing: bool,
}

/// How a value goes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// At least this many, unless more is set.
    AtLeast(u64),
    /// This, where nothing is set.
    Unless(u64),
}

/// One setting of a tool.
struct Setting {
    /// The environment variable that beats the tool's files.
    variable: &'static str,
    rule: Rule,
    /// Its name in the tool's files.
    key: &'static str,
}

/// Where a tool's own files are.
#[derive(Debug, Clone, Copy)]
enum Base {
    /// In the folder of the job, and above it.
    Above,
    /// In the home folder.
    Home,
    /// In the folder or file that this variable names.
    Variable(&'static str),
    /// At the root of the file system.
    Root,
}

/// A tool's settings and the files in which they may stand too.
struct Patience {
    tools: &'static [&'static str],
    settings: &'static [Setting],
    files: &'static [(Base, &'static str)],
}

const fn setting(variable: &'static str, rule: Rule, key: &'static str) -> Setting {
    Setting { variable, rule, key }
}

/// What is known. go and composer have no setting for retries (composer asks three times, always).
const KNOWN: &[Patience] = &[
    // npm asks 2 more times, after 10 and 60 s. Here: 7 more times, after 1, 2, 4, 8, 16, 32 and 60 s, which is longer
    // in all and finds a registry that is back sooner.
    // Source: npm's `config` documentation (fetch-retries, fetch-retry-factor, fetch-retry-mintimeout); pnpm's `.npmrc`
    // documentation (the same names).
    Patience {
        tools: &["npm", "pnpm"],
        settings: &[
            setting("npm_config_fetch_retries", Rule::AtLeast(7), "fetch-retries"),
            setting("npm_config_fetch_retry_factor", Rule::Unless(2), "fetch-retry-factor"),
            setting("npm_config_fetch_retry_mintimeout", Rule::Unless(1000), "fetch-retry-mintimeout"),
        ],
        files: &[
            (Base::Above, ".npmrc"),
            (Base::Home, ".npmrc"),
            (Base::Variable("npm_config_userconfig"), ""),
            (Base::Variable("npm_config_globalconfig"), ""),
        ],
    },
    // Source: yarn 1 `src/constants.js` (NETWORK_TIMEOUT, 30 s; it asks five times, always); Yarn 2 and later,
    // "Configuration" (httpRetry 3, httpTimeout 1 min).
    Patience {
        tools: &["yarn"],
        settings: &[
            setting("yarn_network_timeout", Rule::Unless(120_000), "network-timeout"),
            setting("YARN_HTTP_RETRY", Rule::AtLeast(8), "httpRetry"),
            setting("YARN_HTTP_TIMEOUT", Rule::Unless(120_000), "httpTimeout"),
        ],
        files: &[
            (Base::Above, ".yarnrc"),
            (Base::Above, ".yarnrc.yml"),
            (Base::Home, ".yarnrc"),
            (Base::Home, ".yarnrc.yml"),
        ],
    },
    // Source: bun `src/install/PackageManager/PackageManagerOptions.zig` (5 without it).
    Patience {
        tools: &["bun"],
        settings: &[setting("BUN_CONFIG_HTTP_RETRY_COUNT", Rule::AtLeast(10), "retry-count")],
        files: &[],
    },
    // Source: the Cargo Book, "Configuration" (net.retry 3, http.timeout 30 s).
    Patience {
        tools: &["cargo"],
        settings: &[
            setting("CARGO_NET_RETRY", Rule::AtLeast(10), "retry"),
            setting("CARGO_HTTP_TIMEOUT", Rule::Unless(120), "timeout"),
        ],
        files: &[
            (Base::Above, ".cargo/config.toml"),
            (Base::Above, ".cargo/config"),
            (Base::Home, ".cargo/config.toml"),
            (Base::Variable("CARGO_HOME"), "config.toml"),
        ],
    },
    // Source: pip's documentation, `--retries` (5) and `--timeout` (15 s), "Configuration" for the files; pipenv starts pip.
    Patience {
        tools: &["pip", "pipenv"],
        settings: &[
            setting("PIP_RETRIES", Rule::AtLeast(10), "retries"),
            setting("PIP_DEFAULT_TIMEOUT", Rule::Unless(60), "timeout"),
        ],
        files: &[
            (Base::Home, ".config/pip/pip.conf"),
            (Base::Home, ".pip/pip.conf"),
            (Base::Variable("PIP_CONFIG_FILE"), ""),
            (Base::Variable("VIRTUAL_ENV"), "pip.conf"),
            (Base::Root, "/etc/pip.conf"),
        ],
    },
    // Source: uv's documentation, "Environment variables" (UV_HTTP_RETRIES 3, UV_HTTP_TIMEOUT 30 s).
    Patience {
        tools: &["uv"],
        settings: &[
            setting("UV_HTTP_RETRIES", Rule::AtLeast(10), "http-retries"),
            setting("UV_HTTP_TIMEOUT", Rule::Unless(120), "http-timeout"),
        ],
        files: &[],
    },
    // Source: Poetry's documentation, "Configuration" (requests.max-retries 0), `poetry/utils/constants.py`
    // (POETRY_REQUESTS_TIMEOUT 15 s).
    Patience {
        tools: &["poetry"],
        settings: &[
            setting("POETRY_REQUESTS_MAX_RETRIES", Rule::AtLeast(8), "max-retries"),
            setting("POETRY_REQUESTS_TIMEOUT", Rule::Unless(60), "timeout"),
        ],
        files: &[(Base::Above, "poetry.toml"), (Base::Home, ".config/pypoetry/config.toml")],
    },
    // Source: Bundler's `bundle config` manual (retry 3, timeout 10 s).
    Patience {
        tools: &["bundler"],
        settings: &[
            setting("BUNDLE_RETRY", Rule::AtLeast(8), "BUNDLE_RETRY"),
            setting("BUNDLE_TIMEOUT", Rule::Unless(60), "BUNDLE_TIMEOUT"),
        ],
        files: &[
            (Base::Above, ".bundle/config"),
            (Base::Home, ".bundle/config"),
            (Base::Variable("BUNDLE_USER_HOME"), "config"),
            (Base::Variable("BUNDLE_USER_CONFIG"), ""),
        ],
    },
];

/// The environment that makes `tool` patient in this job: only what goes beyond what is set already.
pub fn patient(tool: &Tool, job: &Job, trouble: Trouble) -> Overlay {
    let mut overlay = Overlay::default();
    for known in KNOWN.iter().filter(|known| known.tools.contains(&tool.as_str())) {
        let files = texts(known, job);
        for setting in known.settings {
            let (name, inherited) = inherited(job, setting.variable);
            let set: Vec<Option<u64>> = inherited
                .into_iter()
                .chain(files.iter().flat_map(|text| values(text, setting.key)))
                .map(|value| value.parse().ok())
                .collect();
            let wanted = match setting.rule {
                // A value that is no number is the tool's to judge, and stays.
                Rule::AtLeast(n) if set.iter().all(|value| value.is_some_and(|value| value < n)) => n,
                Rule::Unless(n) if set.is_empty() => n,
                Rule::AtLeast(_) | Rule::Unless(_) => continue,
            };
            overlay.env.push((name, wanted.to_string()));
        }
    }
    // Source: the Cargo Book, "Configuration", `http.multiplexing`: HTTP/1.1 where HTTP/2 makes trouble.
    let multiplexing = "CARGO_HTTP_MULTIPLEXING";
    if tool.as_str() == "cargo" && trouble.framing && job.workspace.var(multiplexing).is_none() {
        overlay.env.push((multiplexing.to_owned(), "false".to_owned()));
    }
    overlay
}

/// The variable as the job spells it, with its value: npm reads its own in any case.
fn inherited(job: &Job, variable: &str) -> (String, Option<String>) {
    let env = job.workspace.env.iter().filter_map(|(k, v)| Some((k.to_str()?, v.to_str()?)));
    let mut same = env.filter(|(k, v)| k.eq_ignore_ascii_case(variable) && !v.is_empty());
    match same.next() {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (variable.to_owned(), None),
    }
}

fn texts(known: &Patience, job: &Job) -> Vec<String> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for (base, name) in known.files {
        match base {
            Base::Above => paths.extend(job.workspace.root.ancestors().map(|folder| folder.join(name))),
            Base::Home => paths.extend(job.workspace.home().map(|home| home.join(name))),
            Base::Root => paths.push(PathBuf::from(name)),
            Base::Variable(variable) => {
                let named = job.workspace.var(variable).map(|path| job.workspace.root.join(path));
                paths.extend(named.map(|path| if name.is_empty() { path } else { path.join(name) }));
            }
        }
    }
    paths.into_iter().filter_map(|path| fs::read_to_string(path).ok()).collect()
}

/// The values of `key` in a file of lines such as `key = "5"`, `key: 5` or `key 5`.
fn values<'t>(text: &'t str, key: &str) -> Vec<String> {
    let value = |line: &'t str| {
        let (name, rest) = line.trim().split_once([' ', '\t', '=', ':'])?;
        let name = name.trim_matches('"').trim_end_matches(':');
        let name = name.rsplit('.').next().unwrap_or(name);
        let value = rest.trim_start_matches([' ', '\t', '=', ':']).split('#').next()?.trim();
        (name == key).then(|| value.trim_matches(['"', '\'']).to_owned())
    };
    text.lines().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use std::collections::BTreeMap;

    use super::*;
    use crate::workspace::Workspace;

    fn asked(tool: &str, env: &[(&str, &str)], file: Option<(&str, &str)>, trouble: Trouble) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        if let Some((path, text)) = file {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let env: BTreeMap<_, _> = env.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let job =
            Job { workspace: Workspace::new(folder.path().to_owned(), env), argv: vec![tool.to_owned()] };
        let overlay = patient(&Tool::new(tool).unwrap(), &job, trouble);
        overlay.env.into_iter().map(|(k, v)| format!("{k}={v}")).collect()
    }

    #[test]
    fn what_is_not_set_is_raised() {
        assert_eq!(
            asked("npm", &[], None, Trouble::default()),
            [
                "npm_config_fetch_retries=7",
                "npm_config_fetch_retry_factor=2",
                "npm_config_fetch_retry_mintimeout=1000"
            ]
        );
        assert_eq!(
            asked("cargo", &[], None, Trouble { framing: true }),
            ["CARGO_NET_RETRY=10", "CARGO_HTTP_TIMEOUT=120", "CARGO_HTTP_MULTIPLEXING=false"]
        );
        assert!(asked("go", &[], None, Trouble::default()).is_empty());
    }

    #[test]
    fn what_the_user_set_higher_stays_and_a_time_out_of_his_stays_whatever_it_is() {
        let nothing = Trouble::default();
        let env = [("NPM_CONFIG_FETCH_RETRIES", "0"), ("npm_config_fetch_retry_mintimeout", "5")];
        assert_eq!(
            asked("npm", &env, None, nothing),
            ["NPM_CONFIG_FETCH_RETRIES=7", "npm_config_fetch_retry_factor=2"]
        );
        let file = Some((".npmrc", "registry=http://x/\nfetch-retries=20\n"));
        assert!(!asked("npm", &env, file, nothing).iter().any(|e| e.contains("RETRIES")));
        let file = Some((".cargo/config.toml", "[net]\nretry = 30 # slow\n[http]\ntimeout = 5\n"));
        assert!(asked("cargo", &[], file, nothing).is_empty());
        let file = Some((".cargo/config.toml", "net.retry = 1\n"));
        assert_eq!(asked("cargo", &[("CARGO_HTTP_TIMEOUT", "2")], file, nothing), ["CARGO_NET_RETRY=10"]);
        assert!(
            asked("pip", &[("PIP_RETRIES", "many"), ("PIP_DEFAULT_TIMEOUT", "1")], None, nothing).is_empty()
        );
        let file = Some((".bundle/config", "---\nBUNDLE_RETRY: \"12\"\nBUNDLE_TIMEOUT: \"5\"\n"));
        assert!(asked("bundler", &[], file, nothing).is_empty());
        let file = Some((".yarnrc.yml", "httpRetry: 1\nhttpTimeout: 600000\n"));
        assert_eq!(asked("yarn", &[], file, nothing), ["yarn_network_timeout=120000", "YARN_HTTP_RETRY=8"]);
    }
}
