//! The help of the commands that keep the record and carry it.

use insta::assert_snapshot;

use crate::said::Bare;

#[test]
fn state_export() {
    assert_snapshot!(Bare::new().tell(&["state", "export", "--help"]), @r"
    exit code 0
    --- out
    Write everything on record to a file, with its audit chain

    Usage: regreen state export [OPTIONS] <FILE>

    Arguments:
      <FILE>
              The file; `-` is standard output

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

    Example, around a CI cache:
      regreen state export .cache/regreen.jsonl

    Where nothing is on record no file is written, and that is no error.
    ");
}

#[test]
fn state_import() {
    assert_snapshot!(Bare::new().tell(&["state", "import", "--help"]), @r"
    exit code 0
    --- out
    Take in what another machine exported, all of it or nothing

    Usage: regreen state import [OPTIONS] <FILE>

    Arguments:
      <FILE>
              The file; `-` is standard input

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

    Example, around a CI cache:
      regreen state import .cache/regreen.jsonl

    What comes in can be read and counted; it never makes Regreen act. Exit code: 0 taken in,
    3 nothing to read, 18 the file does not add up and nothing of it was taken in.
    ");
}

#[test]
fn ledger_backup() {
    assert_snapshot!(Bare::new().tell(&["ledger", "backup", "--help"]), @r"
    exit code 0
    --- out
    Write all of it to one file, while others go on

    Usage: regreen ledger backup [OPTIONS] <FILE>

    Arguments:
      <FILE>
              The file; one that is there is replaced

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

    Examples:
      regreen ledger backup regreen.backup.gz
      regreen ledger backup fleet.backup.gz --ledger postgres://regreen@db.example/regreen

    The file is as the ledger was at one moment, and goes into SQLite and PostgreSQL alike. Its text
    is masked as the ledger's is.
    ");
}

#[test]
fn ledger_restore() {
    assert_snapshot!(Bare::new().tell(&["ledger", "restore", "--help"]), @r"
    exit code 0
    --- out
    Fill an empty ledger from a backup, all of it or nothing

    Usage: regreen ledger restore [OPTIONS] <FILE>

    Arguments:
      <FILE>
              The file

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
      regreen ledger restore fleet.backup.gz --ledger postgres://regreen@db.example/regreen

    What was in the middle goes on; who worked on it then can write nothing any more. Exit code: 0
    restored, 3 nothing to read, 14 the ledger is not empty, 18 the file does not add up and nothing
    of it was restored.
    ");
}

#[test]
fn ledger_check() {
    assert_snapshot!(Bare::new().tell(&["ledger", "check", "--help"]), @r"
    exit code 0
    --- out
    Check the schema, the audit chain, every document, and that nothing acknowledged can be lost

    Usage: regreen ledger check [OPTIONS]

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
      regreen ledger check --head HASH

    Exit code: 0 nothing is wrong, 18 something is.
    ");
}

#[test]
fn ledger_prune() {
    assert_snapshot!(Bare::new().tell(&["ledger", "prune", "--help"]), @r"
    exit code 0
    --- out
    Take out what was over long ago; the audit chain stays whole

    Usage: regreen ledger prune [OPTIONS] --keep-days <DAYS>

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --keep-days <DAYS>
              Keep what was not over so many days ago

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen ledger prune --keep-days 365

    Closed and imported incidents with their journals and labels, breaker events, lifted pauses, what
    done work needed, and the bodies of deliveries. The audit log keeps the digest of each and names
    what was taken out; that a delivery came, and that its work is done, is kept for good.
    ");
}
