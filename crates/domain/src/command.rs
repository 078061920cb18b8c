//! What is known of a command line: which tool it starts and what kind of work that is.

use std::fmt;

/// A tool by its stable kebab-case name, as in the catalogue (`npm`, `cargo`, `pip`, `git`, …).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tool(String);

impl Tool {
    /// A tool name: lower-case letters, digits and `-`, at most 40 bytes.
    pub fn new(name: &str) -> Option<Tool> {
        let ok = !name.is_empty()
            && name.len() <= 40
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        ok.then(|| Tool(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a command does, as far as its argv tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandKind {
    /// Resolves or downloads dependencies (`npm ci`, `cargo fetch`, `pip install`).
    Install,
    /// Compiles; may download dependencies first (`cargo build`).
    Build,
    /// Runs the project's tests (`npm test`, `cargo test`); may build first.
    Test,
    /// Publishes, deploys, releases or migrates: denied by default.
    Deploy,
    /// A script or program Regreen does not know: diagnosed, never re-run.
    Opaque,
}

impl CommandKind {
    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            CommandKind::Install => "install",
            CommandKind::Build => "build",
            CommandKind::Test => "test",
            CommandKind::Deploy => "deploy",
            CommandKind::Opaque => "opaque",
        }
    }

    /// The kind with this id.
    pub fn parse(id: &str) -> Option<Self> {
        [Self::Install, Self::Build, Self::Test, Self::Deploy, Self::Opaque]
            .into_iter()
            .find(|k| k.id() == id)
    }
}

/// The wrapped command, as the tools see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandFacts {
    /// The tool that the argv starts, where it is a supported one.
    pub tool: Option<Tool>,
    /// What it does.
    pub kind: CommandKind,
    /// Whether the command itself may talk to a package registry before the project's own code runs.
    pub fetches: bool,
}

impl CommandFacts {
    /// A command of which nothing is known.
    pub const OPAQUE: CommandFacts = CommandFacts { tool: None, kind: CommandKind::Opaque, fetches: false };
}
