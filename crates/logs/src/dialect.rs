//! The dialects of CI logs: one file each, told apart by content.

mod github_cli;
mod github_raw;
mod plain;

/// Which program wrote the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Nothing but the command's own output.
    Plain,
    /// GitHub Actions, raw: a timestamp before each line, `##[group]` and `##[error]`.
    GithubRaw,
    /// GitHub Actions as `gh run view --log` prints it: job, tab, step, tab, timestamp, line.
    GithubCli,
}

/// What a line says about the course of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A step of this name starts here.
    Step(String),
    /// The step's program ended with an error.
    Failed,
    /// The step reported an error.
    Complained,
    /// Nothing.
    None,
}

/// How one CI writes its logs. A new CI is a new file and a line in [`Format`].
pub(crate) trait Dialect: Sync {
    /// Whether the first lines of a log look like it.
    fn fits(&self, sample: &[u8]) -> bool;

    /// How many bytes at the start of a line are the CI's, not the command's.
    fn prefix(&self, line: &[u8]) -> usize;

    /// What each line that may carry a mark holds; `None` means that every line must be asked.
    fn mark_literals(&self) -> Option<&'static [&'static str]>;

    /// What the line says about the course of the job.
    fn mark(&self, line: &[u8]) -> Mark;

    /// The job and step that the line itself names; where it names them, they bound the steps, not the marks.
    fn place<'l>(&self, _line: &'l [u8]) -> Option<(&'l [u8], &'l [u8])> {
        None
    }

    /// Whether a log in which steps are marked but none as failed comes from a job that passed.
    fn marks_failures(&self) -> bool;
}

impl Format {
    /// Every format, the most particular first.
    pub const ALL: [Format; 3] = [Format::GithubCli, Format::GithubRaw, Format::Plain];

    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            Format::Plain => "plain",
            Format::GithubRaw => "github-raw",
            Format::GithubCli => "github-cli",
        }
    }

    /// The first format that fits the log's beginning.
    pub fn detect(bytes: &[u8]) -> Format {
        let sample = &bytes[..bytes.len().min(16 * 1024)];
        Format::ALL.into_iter().find(|format| format.dialect().fits(sample)).unwrap_or(Format::Plain)
    }

    pub(crate) fn dialect(self) -> &'static dyn Dialect {
        match self {
            Format::Plain => &plain::Plain,
            Format::GithubRaw => &github_raw::GithubRaw,
            Format::GithubCli => &github_cli::GithubCli,
        }
    }
}

/// The share of non-empty lines in the sample's first fifty that satisfy `test` is at least nine in ten.
fn most_lines(sample: &[u8], test: impl Fn(&[u8]) -> bool) -> bool {
    let lines = sample.split(|&b| b == b'\n').filter(|line| !line.trim_ascii().is_empty()).take(50);
    let (fit, all) = lines.fold((0u32, 0u32), |(fit, all), line| (fit + u32::from(test(line)), all + 1));
    all > 0 && fit * 10 >= all * 9
}
