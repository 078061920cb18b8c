//! The help of every command that reads the record.

use insta::assert_snapshot;

use crate::said::Bare;

#[test]
fn status() {
    assert_snapshot!(Bare::new().tell(&["status", "--help"]), @r"
    exit code 0
    --- out
    Say how it stands: state, incidents, and the targets beside what was measured

    Usage: regreen status [OPTIONS]

    Options:
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
              - plain: For people
              - json:  For programs: one object a line
              
              [default: plain]

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen status --format json
    ");
}

#[test]
fn incidents() {
    assert_snapshot!(Bare::new().tell(&["incidents", "--help"]), @r"
    exit code 0
    --- out
    List incidents of this workspace, show one, open one again, or decide one again

    Usage: regreen incidents [OPTIONS] <COMMAND>

    Commands:
      list    The newest first
      show    One with everything on record: diagnosis, decision, timeline, verification, patch
      reopen  Open one again in which the fleet did nothing, to be decided anew by what holds now
      replay  Decide again from what is on record, and say whether the decision is the same
      help    Print this message or the help of the given subcommand(s)

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
fn incidents_list() {
    assert_snapshot!(Bare::new().tell(&["incidents", "list", "--help"]), @r"
    exit code 0
    --- out
    The newest first

    Usage: regreen incidents list [OPTIONS]

    Options:
          --class <CLASS>
              Only those of this class

          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --outcome <OUTCOME>
              Only those that ended like this; `open` and `approved` are still to end
              
              [possible values: healed, rolled-back, stuck, suggested, awaiting-approval, left-alone,
              handed-over, open, approved]

          --limit <N>
              At most so many
              
              [default: 20]

          --format <FORMAT>
              How to say it

              Possible values:
              - plain: For people
              - json:  For programs: one object a line
              
              [default: plain]

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen incidents list --outcome healed
      regreen incidents list --class network-timeout --format json
    ");
}

#[test]
fn incidents_show() {
    assert_snapshot!(Bare::new().tell(&["incidents", "show", "--help"]), @r"
    exit code 0
    --- out
    One with everything on record: diagnosis, decision, timeline, verification, patch

    Usage: regreen incidents show [OPTIONS] <ID>

    Arguments:
      <ID>
              Its id

    Options:
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
              - plain: For people
              - json:  For programs: one object a line
              
              [default: plain]

          --log <JOB>
              Only the log that was kept of this job, masked

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen incidents show [INCIDENT A]
      regreen incidents show [INCIDENT A] --log build
    ");
}

#[test]
fn incidents_reopen() {
    assert_snapshot!(Bare::new().tell(&["incidents", "reopen", "--help"]), @r#"
    exit code 0
    --- out
    Open one again in which the fleet did nothing, to be decided anew by what holds now

    Usage: regreen incidents reopen [OPTIONS] <ID>

    Arguments:
      <ID>
              Its id

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

    Examples:
      regreen incidents reopen 4d-1-0d6c937a --ledger postgres://regreen@db/regreen
      regreen incidents reopen 4d-1-0d6c937a --reason "the registry is back"

    It is no leave to heal. Only an incident of a CI host's run can be opened again: of the run's
    latest attempt, in which nothing was done, and within 20 hours. Whichever `regreen serve` or
    `regreen worker` shares the ledger goes on with it. Exit code: 0 it is open, 3 there is no such
    incident, or it is of no CI host's run or of an earlier attempt, 14 refused.
    "#);
}

#[test]
fn incidents_replay() {
    assert_snapshot!(Bare::new().tell(&["incidents", "replay", "--help"]), @r"
    exit code 0
    --- out
    Decide again from what is on record, and say whether the decision is the same

    Usage: regreen incidents replay [OPTIONS] <ID>

    Arguments:
      <ID>
              Its id

    Options:
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
              - plain: For people
              - json:  For programs: one object a line
              
              [default: plain]

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

          --patterns <DIR>
              A folder of your own patterns, beside the built-in ones and those in the repository's
              .regreen/patterns (default: `patterns` in the operator's configuration)
              
              [env: REGREEN_PATTERNS=]

          --config <FILE>
              The operator's configuration (default: regreen/config.toml in the user's configuration
              folder)
              
              [env: REGREEN_CONFIG=]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen incidents replay [INCIDENT A]
      regreen incidents replay 4d-1-0d6c937a --ledger fleet.db --config /etc/regreen/config.toml

    Nothing is looked at but the ledger and what is known today, and nothing is done. Known are the
    built-in patterns and playbooks; of an incident of this workspace the operator's and the
    repository's own; of one beside the fleet the operator's patterns and the accepted ones.
    Exit code: 0 the decision from the same inputs is the same, 18 it is not.
    ");
}

#[test]
fn breaker_list() {
    assert_snapshot!(Bare::new().tell(&["breaker", "list", "--help"]), @r"
    exit code 0
    --- out
    Every circuit breaker that something happened to

    Usage: regreen breaker list [OPTIONS]

    Options:
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
              - plain: For people
              - json:  For programs: one object a line
              
              [default: plain]

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen breaker list
    ");
}

#[test]
fn metrics_export() {
    assert_snapshot!(Bare::new().tell(&["metrics", "export", "--help"]), @r"
    exit code 0
    --- out
    Every figure with the number of cases that it comes from; no data is null, never a number

    Usage: regreen metrics export [OPTIONS]

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --format <FORMAT>
              In which shape

              Possible values:
              - json:       Regreen's own, versioned
              - prometheus: Text exposition format for a node exporter's textfile collector or a push
                gateway
              - original:   The metrics file of the system that Regreen follows
              
              [default: json]

          --output <FILE>
              Write to this file instead of standard output

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen metrics export --format prometheus
      regreen metrics export --format original --output
      .github/metrics/infrastructure-auto-healing-metrics.json
    ");
}

#[test]
fn audit_verify() {
    assert_snapshot!(Bare::new().tell(&["audit", "verify", "--help"]), @r"
    exit code 0
    --- out
    Check every entry, every row, and that the chain had this head

    Usage: regreen audit verify [OPTIONS]

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --head <HEAD>
              A head that was printed earlier

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen audit verify --head HASH

    Exit code: 0 it holds, 18 it does not.
    ");
}
