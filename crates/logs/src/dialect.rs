//! The dialects of CI logs: one file each, told apart by content.

mod appveyor;
mod azure;
mod buildkite;
mod circleci;
mod github_cli;
mod github_raw;
mod gitlab;
mod jenkins;
mod plain;
mod stamp;
mod travis;

pub(crate) use plain::bare;

use crate::clock::Stamps;

/// Which program wrote the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Nothing but the command's own output, maybe with a timestamp before each line.
    Plain,
    /// GitHub Actions, raw: a timestamp before each line, `##[group]` and `##[error]`.
    GithubRaw,
    /// GitHub Actions as `gh run view --log` prints it: job, tab, step, tab, timestamp, line.
    GithubCli,
    /// GitLab: `section_start:` and `section_end:`.
    Gitlab,
    /// Jenkins: `[Pipeline]` and `Finished: FAILURE`.
    Jenkins,
    /// Travis: folds, and a line for each command that ended.
    Travis,
    /// CircleCI: `#!/bin/bash -eo pipefail` before each step.
    Circleci,
    /// Buildkite: `~~~` headers of the agent.
    Buildkite,
    /// Azure Pipelines: `##[section]Starting:`.
    Azure,
    /// AppVeyor: `Build started`, `Command exited with code 1`.
    Appveyor,
}

/// What a line says about the course of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A step of this name starts here.
    Step(String),
    /// A step starts here that comes after the work and can't be why the job failed.
    Cleanup(String),
    /// The step ends with this line, and the CI says whether its program ended with an error. The name is that of
    /// the step, where only its end tells.
    Ended {
        /// Whether it ended with an error.
        failed: bool,
        /// The step's name.
        name: Option<String>,
    },
    /// The step's program ended with an error; lines that follow may still be its own.
    Failed,
    /// The step reported an error.
    Complained,
    /// The step that began did not run, because of an earlier failure.
    Skipped,
    /// The job's work is done: where no step failed, it passed.
    Done,
    /// Nothing.
    None,
}

/// The job and the step that a line itself names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'l> {
    pub(crate) job: &'l [u8],
    /// `None` where the CI could not tell.
    pub(crate) step: Option<&'l [u8]>,
}

/// How one CI writes its logs. A new CI is a new file and a line in [`Format`].
pub(crate) trait Dialect: Sync {
    /// Whether the first lines of a log look like it.
    fn fits(&self, sample: &[u8]) -> bool;

    /// Whether this one line does, where several look like it.
    fn signs(&self, line: &[u8]) -> bool {
        self.fits(line)
    }

    /// How many bytes at the start of a line are the CI's, not the command's.
    fn prefix(&self, line: &[u8]) -> usize {
        stamp::length(line)
    }

    /// When the line was written, or began and ended what it reports on, where it says so.
    fn stamps(&self, line: &[u8]) -> Option<Stamps> {
        stamp::stamp(line).map(|stamp| (stamp, stamp))
    }

    /// What each line that may carry a mark holds; `None` means that every line must be asked.
    fn mark_literals(&self) -> Option<&'static [&'static str]>;

    /// What the line, without its line feed, says about the course of the job.
    fn mark(&self, line: &[u8]) -> Mark;

    /// The job and step that the line itself names; where it names them, they bound the steps, not the marks.
    fn place<'l>(&self, _line: &'l [u8]) -> Option<Place<'l>> {
        None
    }

    /// Both at once, for whoever finds them in the same place.
    fn place_and_mark<'l>(&self, line: &'l [u8]) -> (Option<Place<'l>>, Mark) {
        (self.place(line), self.mark(line))
    }

    /// Whether it marks steps at all.
    fn marks_steps(&self) -> bool {
        true
    }

    /// Whether it marks the steps that failed: otherwise the last one is meant.
    fn marks_failures(&self) -> bool {
        true
    }

    /// Whether marks alone say how a job ended: words at its end are then a tool's or a test's.
    fn marks_the_end(&self) -> bool {
        false
    }

    /// Whether it says of clean-up too that a program ended with an error.
    fn cleanup_fails(&self) -> bool {
        false
    }

    /// Whether a step of this name comes after the work.
    fn is_cleanup(&self, _step: &[u8]) -> bool {
        false
    }
}

impl Format {
    /// Every format, the most particular first.
    pub const ALL: [Format; 10] = [
        Format::GithubCli,
        Format::Azure,
        Format::Travis,
        Format::Gitlab,
        Format::Buildkite,
        Format::Jenkins,
        Format::GithubRaw,
        Format::Circleci,
        Format::Appveyor,
        Format::Plain,
    ];

    /// How much of a log's beginning tells its format.
    pub(crate) const SAMPLE: usize = 16 * 1024;

    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            Format::Plain => "plain",
            Format::GithubRaw => "github-raw",
            Format::GithubCli => "github-cli",
            Format::Gitlab => "gitlab",
            Format::Jenkins => "jenkins",
            Format::Travis => "travis",
            Format::Circleci => "circleci",
            Format::Buildkite => "buildkite",
            Format::Azure => "azure",
            Format::Appveyor => "appveyor",
        }
    }

    /// The format that fits the log's beginning. Where several do, the job has printed the marks of another CI: before
    /// anything that a job prints, its own CI speaks.
    pub fn detect(bytes: &[u8]) -> Format {
        let sample = &bytes[..bytes.len().min(Format::SAMPLE)];
        let fits = |format: &Format| *format != Format::Plain && format.dialect().fits(sample);
        let fitting: Vec<Format> = Format::ALL.into_iter().filter(fits).collect();
        match fitting.as_slice() {
            [] => Format::Plain,
            [first, ..] if *first == Format::GithubCli => *first,
            [first] => *first,
            [first, ..] => {
                let signed = |line| fitting.iter().find(|format| format.dialect().signs(line));
                *sample.split(|b| *b == b'\n').find_map(signed).unwrap_or(first)
            }
        }
    }

    pub(crate) fn dialect(self) -> &'static dyn Dialect {
        match self {
            Format::Plain => &plain::Plain,
            Format::GithubRaw => &github_raw::GithubRaw,
            Format::GithubCli => &github_cli::GithubCli,
            Format::Gitlab => &gitlab::Gitlab,
            Format::Jenkins => &jenkins::Jenkins,
            Format::Travis => &travis::Travis,
            Format::Circleci => &circleci::Circleci,
            Format::Buildkite => &buildkite::Buildkite,
            Format::Azure => &azure::Azure,
            Format::Appveyor => &appveyor::Appveyor,
        }
    }

    /// How many bytes at the start of a line are not the command's: the CI's, and those that BuildKit puts before
    /// each line of a build (`#12 3.456 `).
    pub(crate) fn prefix(self, line: &[u8]) -> usize {
        let ci = self.dialect().prefix(line);
        ci + stamp::buildkit(&line[ci..])
    }
}

/// The share of non-empty lines in the sample's first fifty that satisfy `test` is at least nine in ten.
fn most_lines(sample: &[u8], test: impl Fn(&[u8]) -> bool) -> bool {
    let lines = sample.split(|&b| b == b'\n').filter(|line| !line.trim_ascii().is_empty()).take(50);
    let (fit, all) = lines.fold((0u32, 0u32), |(fit, all), line| (fit + u32::from(test(line)), all + 1));
    all > 0 && fit * 10 >= all * 9
}

/// Whether the sample holds one of these.
fn holds(sample: &[u8], literals: &[&str]) -> bool {
    literals.iter().any(|literal| memchr::memmem::find(sample, literal.as_bytes()).is_some())
}

/// Whether a line of the sample, without its prefix and colours, starts with one of these.
fn line_starts(sample: &[u8], starts: &[&str]) -> bool {
    sample.split(|&b| b == b'\n').any(|line| {
        let line = bare(&line[stamp::length(line)..]);
        starts.iter().any(|start| line.starts_with(start.as_bytes()))
    })
}

/// The number at the start of the text.
fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

/// Bytes as a name that can be shown: no escape sequences, nothing that hides or reorders words.
pub(crate) fn name(bytes: &[u8]) -> String {
    crate::decode::decode(&bytes[..bytes.len().min(1024)], 0, 0).as_str().trim().to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::{ReadOptions, read};

    /// Steps as `name: outcome`, and the window's lines as `number text`.
    pub(crate) fn told(log: &str) -> (&'static str, Vec<String>, Vec<String>) {
        let log = read(log.as_bytes(), &ReadOptions::default());
        let steps = log.steps().iter().map(|s| format!("{}: {:?}", s.name, s.outcome)).collect();
        let lines = log.lines().map(|l| format!("{} {}", l.number, l.text().as_str())).collect();
        (log.format().id(), steps, lines)
    }
}
