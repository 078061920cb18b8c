//! The closed list of what may be taken away for room: only what its tool makes again by itself. Each entry says why.
//!
//! Nothing of a project is here: no `node_modules`, no `target`, no `.git`, no build output.

/// Where a place begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// `TMPDIR`, or `/tmp`.
    Temp,
    /// The home folder.
    Home,
    /// What this variable names.
    Variable(&'static str),
    /// An absolute path.
    Root,
}

/// One kind of leftover.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// What it is, for people.
    pub(super) what: &'static str,
    /// Where it can be: the first whose base is known here counts. `#` stands for digits.
    pub(super) folders: &'static [(Base, &'static str)],
    /// The names of what may go, one of these. `#` stands for digits, `*` for letters, digits, `_`, `.` and `-`; for one
    /// character each stand `?` (a letter or digit), `~` (a small letter, digit or `_`) and `%` (a hexadecimal digit).
    pub(super) names: &'static [&'static str],
    /// Programs that use it: while one of them runs with the same homes, it stays.
    pub(super) users: &'static [&'static str],
    /// The tool whose registry fills it again; it stays while that is not seen to serve.
    pub(super) refilled_by: Option<&'static str>,
    /// Why it is safe to take it away.
    #[allow(dead_code, reason = "a reason is for whoever changes the list")]
    pub(super) why: &'static str,
}

const ENDED: &str = "made by a run that has ended; nobody has it open, and the next run makes its own";

/// Cheapest to miss first.
pub(super) const PLACES: &[Place] = &[
    Place {
        what: "temporary files of pip",
        folders: &[(Base::Temp, "")],
        // `pip/_internal/utils/temp_dir.py`: the kind, and what `tempfile.mkdtemp` makes up. Not the kind `download`: people
        // call folders of their own so.
        names: &[
            "pip-unpack-~~~~~~~~",
            "pip-build-~~~~~~~~",
            "pip-install-~~~~~~~~",
            "pip-req-build-~~~~~~~~",
            "pip-ephem-wheel-cache-~~~~~~~~",
            "pip-modern-metadata-~~~~~~~~",
            "pip-build-env-~~~~~~~~",
        ],
        users: &["pip", "pip#", "pip#.#"],
        refilled_by: None,
        why: ENDED,
    },
    Place {
        what: "temporary files of npm and yarn",
        folders: &[(Base::Temp, "")],
        // npm before 7 (`lib/npm.js`); yarn 1 (`src/util/portable-script.js`)
        names: &["npm-#-%%%%%%%%", "yarn--#-0.#"],
        users: &["npm", "npm-cli", "npx", "yarn", "yarnpkg"],
        refilled_by: None,
        why: ENDED,
    },
    Place {
        what: "temporary files of rustc and cargo",
        folders: &[(Base::Temp, "")],
        // `rustc_codegen_ssa/src/back/link.rs`; `cargo install`
        names: &["rustc??????", "cargo-install??????"],
        users: &["cargo", "rustc", "rustdoc", "clippy-driver"],
        refilled_by: None,
        why: ENDED,
    },
    Place {
        what: "temporary files of Go",
        folders: &[(Base::Temp, "")],
        // `cmd/go/internal/work/action.go`; `cmd/link/internal/ld/lib.go`
        names: &["go-build#", "go-link-#"],
        users: &["go", "compile", "link"],
        refilled_by: None,
        why: ENDED,
    },
    Place {
        what: "Node's compiled code",
        folders: &[(Base::Temp, "")],
        // Node's `module.enableCompileCache`; the package v8-compile-cache, with the user's number
        names: &["node-compile-cache", "v8-compile-cache-#"],
        users: &["node", "npm", "pnpm", "yarn"],
        refilled_by: None,
        why: "Node compiles again what it misses",
    },
    Place {
        what: "npm's unfinished downloads",
        folders: &[(Base::Variable("npm_config_cache"), "_cacache/tmp"), (Base::Home, ".npm/_cacache/tmp")],
        names: &["*"],
        users: &["npm"],
        refilled_by: None,
        why: "npm moves a download out of here once it is whole; what stays is of a run that broke off",
    },
    Place {
        what: "pnpm's unfinished downloads",
        folders: &[
            (Base::Variable("XDG_DATA_HOME"), "pnpm/store/v#/tmp"),
            (Base::Home, ".local/share/pnpm/store/v#/tmp"),
        ],
        names: &["*"],
        users: &["pnpm"],
        refilled_by: None,
        why: "pnpm moves a download out of here once it is whole",
    },
    Place {
        what: "yarn's unfinished downloads",
        folders: &[
            (Base::Variable("YARN_CACHE_FOLDER"), "v#/.tmp"),
            (Base::Variable("XDG_CACHE_HOME"), "yarn/v#/.tmp"),
            (Base::Home, ".cache/yarn/v#/.tmp"),
        ],
        names: &["*"],
        users: &["yarn"],
        refilled_by: None,
        why: "yarn 1 moves a download out of here once it is whole",
    },
    Place {
        what: "Gradle's temporary files",
        folders: &[(Base::Variable("GRADLE_USER_HOME"), ".tmp"), (Base::Home, ".gradle/.tmp")],
        names: &["*"],
        users: &["java", "gradle"],
        refilled_by: None,
        why: "made by a build that has ended",
    },
    Place {
        what: "sources that cargo has unpacked",
        folders: &[(Base::Variable("CARGO_HOME"), "registry/src"), (Base::Home, ".cargo/registry/src")],
        names: &["*"],
        users: &["cargo", "rustc", "rust-analyzer"],
        refilled_by: None,
        why: "cargo unpacks them again from registry/cache, without the network",
    },
    Place {
        what: "Go's build cache",
        folders: &[
            (Base::Variable("GOCACHE"), ""),
            (Base::Variable("XDG_CACHE_HOME"), "go-build"),
            (Base::Home, ".cache/go-build"),
        ],
        names: &["??"],
        users: &["go", "compile", "link"],
        refilled_by: None,
        why: "the same as `go clean -cache`: go builds again what it misses",
    },
    Place {
        what: "packages that apt has installed",
        folders: &[(Base::Root, "/var/cache/apt/archives")],
        names: &["*.deb"],
        users: &["apt", "apt-get", "aptitude", "dpkg", "unattended-upgr"],
        refilled_by: None,
        why: "the same as `apt-get clean`: an installed package needs its file no more",
    },
    Place {
        what: "pip's downloads",
        folders: &[
            (Base::Variable("PIP_CACHE_DIR"), ""),
            (Base::Variable("XDG_CACHE_HOME"), "pip"),
            (Base::Home, ".cache/pip"),
        ],
        names: &["http", "http-v#"],
        users: &["pip", "pip#", "pip#.#"],
        refilled_by: Some("pip"),
        why: "the same as `pip cache purge`, without the wheels that pip built: the index serves them again",
    },
];

/// Whether a name is of this form.
pub(super) fn is_named(form: &str, name: &str) -> bool {
    matches(form.as_bytes(), name.as_bytes())
}

fn matches(form: &[u8], name: &[u8]) -> bool {
    let Some((first, form_rest)) = form.split_first() else { return name.is_empty() };
    let of = |b: &u8| match first {
        b'#' => b.is_ascii_digit(),
        b'*' => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'),
        b'?' => b.is_ascii_alphanumeric(),
        b'~' => b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_',
        b'%' => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        literal => b == literal,
    };
    let Some((_, rest)) = name.split_first().filter(|(head, _)| of(head)) else { return false };
    let more = matches!(first, b'#' | b'*') && matches(form, rest);
    more || matches(form_rest, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_tool_names_so_is_meant() {
        for (form, good, bad) in [
            ("npm-#-%%%%%%%%", "npm-4711-1a2b3c4d", "npm-9-projects"),
            ("yarn--#-0.#", "yarn--1700000000000-0.123456", "yarn--2-cache"),
            ("pip-unpack-~~~~~~~~", "pip-unpack-a_2b3c4d", "pip-unpack-of-mine"),
            ("rustc??????", "rustcAb12Cd", "rustc-1.95.0-src"),
            ("go-build#", "go-build123456", "go-builder"),
            ("??", "0f", "README"),
            ("http-v#", "http-v2", "wheels"),
            ("*.deb", "curl_7.88.1-10_amd64.deb", "lock"),
            ("v#", "v10", "v"),
        ] {
            assert!(is_named(form, good), "{form} {good}");
            assert!(!is_named(form, bad), "{form} {bad}");
        }
        assert!(!is_named("*", "") && !is_named("*", "a/b"));
    }

    #[test]
    fn what_people_call_their_own_folders_is_not_on_the_list() {
        let temp = || PLACES.iter().filter(|place| place.folders[0].0 == Base::Temp);
        for name in ["jest_results", "jest_rs", "pip-download-packages", "pip-install-logs", "npm-9-backup"] {
            let meant = temp().flat_map(|place| place.names).find(|form| is_named(form, name));
            assert_eq!(meant, None, "{name}");
        }
        assert!(temp().all(|place| !place.users.is_empty()), "whose it is can run");
    }

    #[test]
    fn nothing_of_a_project_is_on_the_list_and_each_says_why() {
        for place in PLACES {
            assert!(!place.why.is_empty() && !place.names.is_empty() && !place.folders.is_empty());
            for (_, folder) in place.folders {
                assert!(!["node_modules", "target", ".git", ".venv"].iter().any(|own| folder.contains(own)));
            }
            // A bare `*` only where the folder itself is the tool's own.
            let bare = place.names.contains(&"*");
            assert!(
                !bare
                    || place
                        .folders
                        .iter()
                        .all(|(_, folder)| folder.contains('/') || folder.starts_with('.'))
            );
        }
    }
}
