//! The workflow of six jobs, as it is written.

use std::{fs, io, path::Path};

use regreen_domain::Mode;

use super::{install::Install, template::filled};
use crate::args::Every;

/// Where it is written.
pub const WORKFLOW: &str = ".github/workflows/infrastructure-auto-healing-v2.yml";
/// The original system's; it is left alone, and its failures are nobody's but its own.
const ORIGINAL: &str = "infrastructure-auto-healing.yml";
/// Where workflows lie.
const FOLDER: &str = ".github/workflows";
const TEMPLATE: &str = include_str!("github.yml");
/// `actions/cache` at v5.0.5.
const CACHE: &str = "27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5";

/// What can be chosen about it.
pub struct Choice {
    /// How far it goes unless a variable says otherwise.
    pub mode: Mode,
    /// Whether it writes issues.
    pub issues: bool,
    /// Whether the metrics are committed.
    pub commit_metrics: bool,
    /// How often it looks by the clock.
    pub every: Every,
    /// How a runner gets the program.
    pub install: Install,
}

/// The names by which `workflow_run` knows the other workflows of a repository, in order.
///
/// # Errors
/// Where a file can't be read.
pub fn workflows(root: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(root.join(FOLDER)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let is_workflow = file.ends_with(".yml") || file.ends_with(".yaml");
        if !is_workflow
            || !entry.file_type()?.is_file()
            || file == ORIGINAL
            || WORKFLOW.ends_with(&format!("/{file}"))
        {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(entry.path())?).into_owned();
        names.push(name(&text).unwrap_or_else(|| format!("{FOLDER}/{file}")));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The name that a workflow's text gives it: a plain or quoted word behind `name:` at the beginning of a line. Anything rarer
/// is not understood; such a workflow is watched by its path, and by the schedule.
fn name(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("name:"))?.trim();
    let unquoted = |quote: char| {
        let rest = value.strip_prefix(quote)?;
        let (name, after) = rest.split_once(quote)?;
        let after = after.trim_start();
        let is_plain = !name.contains('\\') && (after.is_empty() || after.starts_with('#'));
        is_plain.then(|| name.to_owned())
    };
    let name = match value.chars().next()? {
        quote @ ('"' | '\'') => unquoted(quote)?,
        '|' | '>' | '&' | '*' | '!' | '{' | '[' | '#' | '%' | '@' | '`' => return None,
        _ => value.split(" #").next()?.trim_end().to_owned(),
    };
    (!name.is_empty() && !name.chars().any(char::is_control)).then_some(name)
}

/// A name as the pattern that matches it alone: GitHub takes what stands under `workflow_run.workflows` for patterns.
/// Source: "Filter pattern cheat sheet" in GitHub's documentation of the workflow syntax.
fn literal(name: &str) -> String {
    let special = |c: char| "\\*?+[]!".contains(c);
    name.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// The file's text, without the line that says where it comes from.
pub fn text(choice: &Choice, workflows: &[String]) -> String {
    let watched: String = workflows
        .iter()
        .map(|name| format!("\n      - {}", serde_json::Value::from(literal(name))))
        .collect();
    let operator = if choice.issues { "'serve.escalation.issues = true'" } else { "''" };
    let (metrics, commit) = match choice.commit_metrics {
        true => ("\n      contents: write # to commit the metrics", COMMIT.trim_matches('\n')),
        false => (" {}", ""),
    };
    let notify = if choice.issues {
        "\n      issues: write # to write issues about what is left to people"
    } else {
        " {}"
    };
    let cron = choice.every.cron();
    let values = [
        ("CRON", cron.as_str()),
        ("WORKFLOWS", watched.as_str()),
        ("VERSION", env!("CARGO_PKG_VERSION")),
        ("MODE", choice.mode.id()),
        ("OPERATOR", operator),
        ("METRICS_PERMISSIONS", metrics),
        ("NOTIFY_PERMISSIONS", notify),
        ("SETUP_MINUTES", choice.install.minutes()),
    ];
    filled(TEMPLATE, &values, |part| match part {
        "SETUP" => Some(setup(&choice.install)),
        "INSTALL_ENV" => {
            Some(choice.install.env().lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))
        }
        "COMMIT" => Some(commit.to_owned()),
        "CACHE_BUILT" => Some(match choice.install {
            Install::Release { .. } => String::new(),
            Install::Source => cache_mode("keep what is built"),
        }),
        "CACHE_STATE" => Some(cache_mode("hand the state on")),
        part => part.strip_prefix("SAVE ").map(save),
    })
}

/// What a job says that saves to the cache: unless it does, one that `workflow_run` started may only read it.
/// Source: "Control GitHub Actions cache access with cache-mode", GitHub's changelog of 2026-09-10.
fn cache_mode(why: &str) -> String {
    format!(
        "    cache-mode: write # zizmor: ignore[cache-poisoning] to {why}: nothing of the failed run is executed"
    )
}

fn setup(install: &Install) -> String {
    let restore = install.github_restore(CACHE);
    let get = install.shell();
    let get: String = get.lines().map(|line| format!("            {line}\n")).collect();
    format!(
        "      - name: Restore the state
        uses: actions/cache/restore@{CACHE}
        with:
          path: regreen-state
          key: regreen-state-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}
          restore-keys: regreen-state-
{restore}      - name: Set up Regreen
        run: |
          umask 077
          rm -rf \"$RUNNER_TEMP/regreen\"
          mkdir -p \"$RUNNER_TEMP/regreen\"
          if [ -n \"$REGREEN_BINARY\" ]; then
            ln -sf \"$REGREEN_BINARY\" \"$RUNNER_TEMP/regreen/regreen\"
          else
{get}          fi
          printf '%s\\n' \"$REGREEN_OPERATOR\" > \"$RUNNER_TEMP/regreen/config.toml\"
          if [ -f regreen-state/ledger.gz ]; then
            \"$RUNNER_TEMP/regreen/regreen\" ledger restore --ledger \"$RUNNER_TEMP/regreen/ledger.db\" regreen-state/ledger.gz ||
              echo \"::warning::the state could not be restored; it begins anew\"
          fi"
    )
}

/// Whatever a step that had begun came to, what it did is kept.
fn save(job: &str) -> String {
    let begun = match job {
        "notify" => "needs.recover.result == 'success'".to_owned(),
        job => format!("steps.{job}.outcome != 'skipped'"),
    };
    format!(
        "      - name: Put the state together
        id: state
        if: always() && {begun}
        run: |
          mkdir -p regreen-state
          \"$RUNNER_TEMP/regreen/regreen\" ledger backup --ledger \"$RUNNER_TEMP/regreen/ledger.db\" regreen-state/ledger.gz
      - name: Save the state
        if: always() && steps.state.outcome == 'success'
        uses: actions/cache/save@{CACHE}
        with:
          path: regreen-state
          key: regreen-state-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}-{job}"
    )
}

const COMMIT: &str = r#"
      - name: Commit them
        env:
          GH_TOKEN: ${{ github.token }}
        run: |
          file=.github/metrics/infrastructure-auto-healing-metrics.json
          put=(-f "message=Metrics of infrastructure auto-healing [skip ci]")
          put+=(-f "content=$(base64 -w0 "$file")")
          if old="$(gh api "repos/$GITHUB_REPOSITORY/contents/$file" --jq .sha 2>/dev/null)"; then
            put+=(-f "sha=$old")
          fi
          gh api --method PUT "repos/$GITHUB_REPOSITORY/contents/$file" "${put[@]}" > /dev/null
"#;

#[cfg(test)]
mod tests {
    use super::{literal, name};

    #[test]
    fn a_name_is_no_pattern() {
        for (name, pattern) in [
            ("CI", "CI"),
            ("C/C++ CI", "C/C\\+\\+ CI"),
            ("Build [linux]?", "Build \\[linux\\]\\?"),
            ("!x*", "\\!x\\*"),
        ] {
            assert_eq!(literal(name), pattern);
        }
    }

    #[test]
    fn workflows_are_known_by_the_name_that_github_shows() {
        for (text, want) in [
            ("name: CI\non: push\n", Some("CI")),
            ("# x\nname: \"Build & test\" # all of it\n", Some("Build & test")),
            ("name: 'Build: ${{ github.ref }}'\n", Some("Build: ${{ github.ref }}")),
            ("name: Nightly # at night\n", Some("Nightly")),
            ("on: push\njobs:\n  a:\n    name: not this\n", None),
            ("name: >-\n  folded\n", None),
            ("name:\n", None),
            ("name: \"a\\\"b\"\n", None),
        ] {
            assert_eq!(name(text).as_deref(), want, "{text}");
        }
    }
}
