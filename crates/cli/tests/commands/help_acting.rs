//! The help of every command that acts.

use insta::assert_snapshot;

use crate::said::Bare;

#[test]
fn run() {
    assert_snapshot!(Bare::new().tell(&["run", "--help"]), @r"
    exit code 0
    --- out
    Run a command; if the infrastructure makes it fail, heal that and run it again

    Usage: regreen run [OPTIONS] -- <CMD>...

    Arguments:
      <CMD>...
              The command

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --timeout <DURATION>
              End the command after this long (124)

          --idle-timeout <DURATION>
              End the command when it has printed nothing for this long (124), and show what it was
              doing

          --mode <MODE>
              How far to go: observe, suggest, approve or auto
              
              [possible values: observe, suggest, approve, auto]

          --yes
              On a laptop: allow what is otherwise only suggested there, for this run

          --rerun <WHEN>
              Whether a command that Regreen does not know may be run again

              Possible values:
              - known:  Only known install, fetch, build and test commands
              - always: Always: the user knows that it is repeatable
              
              [default: known]

          --dry-run
              Look and decide, but change nothing

          --leave-background
              Let processes that the command started in the background live on after it

          --config <FILE>
              The operator's configuration (default: regreen/config.toml in the user's configuration
              folder)
              
              [env: REGREEN_CONFIG=]

          --patterns <DIR>
              A folder of your own patterns, beside the built-in ones and those in the repository's
              .regreen/patterns (default: `patterns` in the operator's configuration)
              
              [env: REGREEN_PATTERNS=]

          --server <URL>
              Ask this `regreen serve` before acting, and tell it what came of it; where it is silent,
              go on alone
              
              [env: REGREEN_SERVER=]

          --server-token-file <FILE>
              A file with the token for it (or REGREEN_SERVER_TOKEN)

          --report <FILE>
              Write the diagnosis and the outcome as one line of JSON to this file

          --github
              Write annotations, the summary and the outputs of the GitHub step that this is

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen run -- npm ci
      regreen run --idle-timeout 10m -- cargo build --locked
      regreen run --mode suggest -- pip install -r requirements.txt
      regreen run --server https://regreen.example -- npm ci

    The exit code is the command's own; 0 once healed and verified; 124 on a time-out;
    126 or 127 where the command can't be started; 128 + n where signal n ended it
    or the healing, which is taken back then.
    ");
}

#[test]
fn diagnose() {
    assert_snapshot!(Bare::new().tell(&["diagnose", "--help"]), @r"
    exit code 0
    --- out
    Say why a job failed, from its log

    Usage: regreen diagnose [OPTIONS] [LOG]...

    Arguments:
      [LOG]...
              Logs to read: files, folders, patterns such as 'logs/*.log'; `-` is standard input
              
              [default: -]

    Options:
          --baseline <LOG>
              A passing run of the same job: what it prints too is no cause. Takes what LOG takes; may
              be given again

          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --format <FORMAT>
              How to say it

              Possible values:
              - plain:    For people
              - json:     For programs: one object a line, one line an input
              - github:   Annotations of a GitHub job, and its summary where `GITHUB_STEP_SUMMARY` names
                the file
              - sarif:    SARIF 2.1.0, one document for all inputs
              - markdown: Markdown, a section for each input
              
              [default: plain]

          --patterns <DIR>
              A folder of your own patterns, beside the built-in ones and those in the repository's
              .regreen/patterns (default: `patterns` in the operator's configuration)
              
              [env: REGREEN_PATTERNS=]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen diagnose build.log
      gh run view --log-failed | regreen diagnose -
      regreen diagnose --format json logs/ 'runs/**/*.log.gz'
      regreen diagnose --baseline yesterday-green.log red.log

    Logs may be packed (gzip, zstd) or lie in a zip archive, as the GitHub API gives the logs of a
    run: each job in it is an input of its own.

    Exit code: 0 no failure found, 10 infrastructure and curable, 17 infrastructure and needs a
    person, 11 the project's own code, 12 not diagnosed, 3 nothing to read. Of several inputs the
    first that occurs of 3, 10, 17, 12, 11.
    ");
}

#[test]
fn approve() {
    assert_snapshot!(Bare::new().tell(&["approve", "--help"]), @r"
    exit code 0
    --- out
    Let a recovery that waits for a person's word go ahead with the next run

    Usage: regreen approve [OPTIONS] <INCIDENT>

    Arguments:
      <INCIDENT>
              Id of an incident that waits for approval

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen approve [INCIDENT A]

    The word is good for one run of the same command in this workspace that fails in the same way
    and is healed by the same playbook, within 24 hours. Of an incident beside the fleet, whichever
    `regreen serve` or `regreen worker` looks next goes on with it itself, if nothing has changed.
    ");
}

#[test]
fn deny() {
    assert_snapshot!(Bare::new().tell(&["deny", "--help"]), @r#"
    exit code 0
    --- out
    Refuse a recovery that waits for a person's word

    Usage: regreen deny [OPTIONS] <INCIDENT>

    Arguments:
      <INCIDENT>
              Id of an incident that waits for approval, or was approved

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --reason <REASON>
              Why

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen deny [INCIDENT A] --reason "the branch is frozen"

    An approval that no run has used yet can be taken back in the same way.
    "#);
}

#[test]
fn rollback() {
    assert_snapshot!(Bare::new().tell(&["rollback", "--help"]), @r#"
    exit code 0
    --- out
    Take back what an incident did

    Usage: regreen rollback [OPTIONS] <INCIDENT>

    Arguments:
      <INCIDENT>
              Id of the incident

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --reason <REASON>
              Why
              
              [default: "a person asked for it"]

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen rollback [INCIDENT A] --reason "the lockfile was meant to change"

    A healed incident is taken back by its patch in reverse, and only while the file is byte for
    byte what Regreen left. What the fleet has under way at a CI host is cancelled by whoever works
    beside it. Exit code: 0 as before, or listed for the fleet, 3 nothing is under way at the host, 14
    refused and nothing touched, 16 a person must look.
    "#);
}

#[test]
fn resume() {
    assert_snapshot!(Bare::new().tell(&["resume", "--help"]), @r"
    exit code 0
    --- out
    Bring a recovery that was killed to its end: healed, or as before

    Usage: regreen resume [OPTIONS]

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

      -h, --help
              Print help (see a summary with '-h')
    ");
}

#[test]
fn pause() {
    assert_snapshot!(Bare::new().tell(&["pause", "--help"]), @r#"
    exit code 0
    --- out
    Heal nothing in this workspace until `unpause`; seen before the next effect of a running recovery

    Usage: regreen pause [OPTIONS]

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --reason <REASON>
              Why
              
              [default: "no reason was given"]

          --fleet
              What `regreen serve` and `regreen worker` do, instead of this workspace

          --repository <OWNER/REPO>
              Of that, one repository

          --host <HOST>
              At that host alone, github or gitlab, instead of at each

          --ledger <ADDRESS>
              The ledger: a file, or postgres://… (default: fleet/ledger.db in the user's state folder)
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen pause --reason "release day"
      regreen pause --fleet --repository octo-org/octo-repo
    "#);
}

#[test]
fn unpause() {
    assert_snapshot!(Bare::new().tell(&["unpause", "--help"]), @r"
    exit code 0
    --- out
    Heal again

    Usage: regreen unpause [OPTIONS]

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --fleet
              What `regreen serve` and `regreen worker` do, instead of this workspace

          --repository <OWNER/REPO>
              Of that, one repository

          --host <HOST>
              At that host alone, github or gitlab, instead of at each

          --ledger <ADDRESS>
              The ledger: a file, or postgres://… (default: fleet/ledger.db in the user's state folder)
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen unpause
      regreen unpause --fleet
    ");
}

#[test]
fn breaker_reset() {
    assert_snapshot!(Bare::new().tell(&["breaker", "reset", "--help"]), @r"
    exit code 0
    --- out
    Close breakers, so that healing may be tried again at once

    Usage: regreen breaker reset [OPTIONS] [KEY]...

    Arguments:
      [KEY]...
              Keys as `breaker list` shows them: CLASS/SERVICE/REPOSITORY

    Options:
          --all
              Every breaker of this workspace

          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen breaker reset network-timeout/npm/github.com/org/repo
      regreen breaker reset --all
    ");
}

#[test]
fn feedback() {
    assert_snapshot!(Bare::new().tell(&["feedback", "--help"]), @r#"
    exit code 0
    --- out
    Say what an incident really was

    Usage: regreen feedback [OPTIONS] --class <CLASS> <INCIDENT>

    Arguments:
      <INCIDENT>
              Id of the incident

    Options:
          --class <CLASS>
              Its class, e.g. test-failure

          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --note <NOTE>
              What else there is to say

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen feedback [INCIDENT A] --class test-failure --note "flaky test"
    "#);
}
