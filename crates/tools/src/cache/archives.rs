//! Caches that are folders of archives and notes: the archives are read to their end, the rest has no checksum.

use std::path::{Path, PathBuf};

use super::{
    Asked, Cache, CacheScan,
    files::{archive_by_name, files},
    pip,
    place::{Ask, Base, Place},
    work::each,
};

/// A cache of archives.
pub(crate) struct Archives {
    id: &'static str,
    tool: &'static str,
    holds: &'static str,
    places: &'static [Place],
    /// One of these is there.
    marks: &'static [&'static str],
    /// Where the entries are.
    folders: &'static [&'static str],
    /// Whether answers of indexes are in it, as pip keeps them.
    answers: bool,
}

/// Poetry. Source: <https://python-poetry.org/docs/configuration/#cache-dir>; poetry, `utils/cache.py`.
pub(crate) const POETRY: Archives = Archives {
    id: "poetry",
    tool: "poetry",
    holds: "packages, and answers of indexes",
    places: &[
        Place { asked: Ask::Env("POETRY_CACHE_DIR"), below: "" },
        Place {
            asked: Ask::Setting { base: Base::Config, file: "pypoetry/config.toml", key: "cache-dir" },
            below: "",
        },
        Place { asked: Ask::Default(Base::Cache, "pypoetry"), below: "" },
    ],
    marks: &["artifacts", "cache"],
    folders: &["artifacts", "cache"],
    answers: true,
};

/// Pipenv keeps what pip keeps. Source: <https://pipenv.pypa.io/en/latest/configuration.html>, `PIPENV_CACHE_DIR`.
pub(crate) const PIPENV: Archives = Archives {
    id: "pipenv",
    tool: "pipenv",
    holds: "answers of indexes, and wheels that were built",
    places: &[
        Place { asked: Ask::Env("PIPENV_CACHE_DIR"), below: "" },
        Place { asked: Ask::Default(Base::Cache, "pipenv"), below: "" },
    ],
    marks: &["http", "http-v2", "wheels"],
    folders: &["http", "http-v2", "wheels"],
    answers: true,
};

/// Composer. Source: <https://getcomposer.org/doc/06-config.md#cache-dir>.
pub(crate) const COMPOSER: Archives = Archives {
    id: "composer",
    tool: "composer",
    holds: "packages as archives, and metadata",
    places: &[
        Place { asked: Ask::Env("COMPOSER_CACHE_DIR"), below: "" },
        Place { asked: Ask::Env("COMPOSER_HOME"), below: "cache" },
        Place {
            asked: Ask::Setting { base: Base::Config, file: "composer/config.json", key: "cache-dir" },
            below: "",
        },
        Place { asked: Ask::Default(Base::Cache, "composer"), below: "" },
    ],
    marks: &["files", "repo"],
    folders: &["files", "repo"],
    answers: false,
};

/// NuGet. Source: <https://learn.microsoft.com/nuget/consume-packages/managing-the-global-packages-and-cache-folders>.
pub(crate) const NUGET: Archives = Archives {
    id: "nuget",
    tool: "nuget",
    holds: "packages, packed and unpacked",
    places: &[
        Place { asked: Ask::Env("NUGET_PACKAGES"), below: "" },
        Place { asked: Ask::Default(Base::Home, ".nuget/packages"), below: "" },
    ],
    marks: &["."],
    folders: &[""],
    answers: false,
};

/// Bun's packages are unpacked and have no checksum there. Source: <https://bun.com/docs/install/cache>.
pub(crate) const BUN: Archives = Archives {
    id: "bun",
    tool: "bun",
    holds: "packages, unpacked",
    places: &[
        Place { asked: Ask::Env("BUN_INSTALL_CACHE_DIR"), below: "" },
        Place { asked: Ask::Env("BUN_INSTALL"), below: "install/cache" },
        Place { asked: Ask::Default(Base::Home, ".bun/install/cache"), below: "" },
    ],
    marks: &["."],
    folders: &[""],
    answers: false,
};

/// ccache: a format of its own that only ccache reads. Source: ccache's manual, "Configuration", `cache_dir`.
pub(crate) const CCACHE: Archives = Archives {
    id: "ccache",
    tool: "ccache",
    holds: "compiled objects",
    places: &[
        Place { asked: Ask::Env("CCACHE_DIR"), below: "" },
        Place { asked: Ask::Default(Base::Cache, "ccache"), below: "" },
    ],
    marks: &["CACHEDIR.TAG", "0", "ccache.conf"],
    folders: &[""],
    answers: false,
};

/// sccache: archives with a compression of their own. Source: sccache's documentation, "Local".
pub(crate) const SCCACHE: Archives = Archives {
    id: "sccache",
    tool: "sccache",
    holds: "compiled objects",
    places: &[
        Place { asked: Ask::Env("SCCACHE_DIR"), below: "" },
        Place { asked: Ask::Default(Base::Cache, "sccache"), below: "" },
    ],
    marks: &["preprocessor", "0", "1", "2", "a"],
    folders: &[""],
    answers: false,
};

impl Cache for Archives {
    fn id(&self) -> &'static str {
        self.id
    }

    fn tool(&self) -> &'static str {
        self.tool
    }

    fn holds(&self) -> &'static str {
        self.holds
    }

    fn places(&self) -> &'static [Place] {
        self.places
    }

    fn is_at(&self, root: &Path) -> bool {
        self.marks != ["."] && self.marks.iter().any(|mark| root.join(mark).exists())
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        each(root, asked, &files(root, self.folders), |path: &PathBuf, part| match self.answers {
            true => pip::check(path, part),
            false => archive_by_name(path, part),
        })
    }
}
