//! The help of `patterns` and its commands.

use insta::assert_snapshot;

use crate::said::Bare;

#[test]
fn patterns() {
    assert_snapshot!(Bare::new().tell(&["patterns", "--help"]), @r"
    exit code 0
    --- out
    List the patterns, show one, prove pattern files, or draft one

    Usage: regreen patterns [OPTIONS] <COMMAND>

    Commands:
      list       Every pattern with its class
      show       What a pattern looks for, what it means, and how often it was right
      test       Prove pattern files: by their own examples and counterexamples, and against every other
                 pattern
      new        Draft a pattern from the log of a failure
      suggest    Draft patterns for failures that recur and that no signature names
      import     Draft patterns from the rules of other tools
      accept     Accept a completed draft beside a fleet: it names such failures on every node
      take-back  Take an accepted pattern back
      schema     Print the JSON schema of a pattern file, for editors
      help       Print this message or the help of the given subcommand(s)

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
fn patterns_list() {
    assert_snapshot!(Bare::new().tell(&["patterns", "list", "--help"]), @r"
    exit code 0
    --- out
    Every pattern with its class

    Usage: regreen patterns list [OPTIONS]

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
      regreen patterns list --format json
      regreen patterns list --patterns /etc/regreen/patterns

    The source of a pattern says how far it is believed: built-in; operator, from a folder outside the
    checkout; repository, from .regreen/patterns of the trusted commit, which never leads to a healing.
    Exit code: 0 all of them can be used, 4 one can't and was left out.
    ");
}

#[test]
fn patterns_show() {
    assert_snapshot!(Bare::new().tell(&["patterns", "show", "--help"]), @r"
    exit code 0
    --- out
    What a pattern looks for, what it means, and how often it was right

    Usage: regreen patterns show [OPTIONS] <ID>

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

    Example:
      regreen patterns show npm-lockfile-unreadable
    ");
}

#[test]
fn patterns_new() {
    assert_snapshot!(Bare::new().tell(&["patterns", "new", "--help"]), @r"
    exit code 0
    --- out
    Draft a pattern from the log of a failure

    Usage: regreen patterns new [OPTIONS] <LOG>

    Arguments:
      <LOG>
              The log: a file, or `-` for standard input

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --line <NUMBER>
              The line that is the cause, counted from 1

          --class <CLASS>
              What it means (default: as it is diagnosed)

          --id <ID>
              The pattern's id (default: the output's name, or words of the line)

          --output <FILE>
              Write it to this file, which must not be there yet (default: standard output)

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
      regreen patterns new build.log > widget-registry-away.toml
      regreen patterns new build.log --line 812 --output .regreen/patterns/widget-away.toml

    The line is the one that a diagnosis takes for the cause, unless --line names another. Numbers,
    paths, hosts, hashes and versions in it are left open; secrets are masked. What a person has to
    say stands as FILL IN. Exit code: 0 the draft proves itself (as `patterns test` says), 18 it does
    not yet.
    ");
}

#[test]
fn patterns_suggest() {
    assert_snapshot!(Bare::new().tell(&["patterns", "suggest", "--help"]), @r"
    exit code 0
    --- out
    Draft patterns for failures that recur and that no signature names

    Usage: regreen patterns suggest [OPTIONS] [LOG]...

    Arguments:
      [LOG]...
              Logs to read: files, folders, patterns such as 'logs/*.log'; without any, the ledger of
              this workspace

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --least <NUMBER>
              In how many logs a template must stand
              
              [default: 2]

          --output <DIR>
              Write each draft to a file in this folder; none that is there is overwritten (default:
              standard output)

          --patterns <DIR>
              A folder of your own patterns, beside the built-in ones and those in the repository's
              .regreen/patterns (default: `patterns` in the operator's configuration)
              
              [env: REGREEN_PATTERNS=]

          --config <FILE>
              The operator's configuration (default: regreen/config.toml in the user's configuration
              folder)
              
              [env: REGREEN_CONFIG=]

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen patterns suggest logs/
      regreen patterns suggest 'runs/**/*.log.gz' --output drafts/
      regreen patterns suggest               from the incidents on record in this workspace

    Failures that no signature names are grouped by the template of their lines; each template that
    stands in two logs or more becomes a draft with its examples, masked, the most frequent first.
    ");
}

#[test]
fn patterns_import() {
    assert_snapshot!(Bare::new().tell(&["patterns", "import", "--help"]), @r"
    exit code 0
    --- out
    Draft patterns from the rules of other tools

    Usage: regreen patterns import [OPTIONS] <FILE>

    Arguments:
      <FILE>
              The file of rules

    Options:
          --class <CLASS>
              What all of them mean (default: guessed from each rule's words)

          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --output <DIR>
              Write each draft to a file in this folder; none that is there is overwritten (default:
              standard output)

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
      regreen patterns import build-failure-analyzer.xml --output drafts/
      regreen patterns import ruleset.toml

    Read are the XML and JSON of Jenkins' Build Failure Analyzer, and TOML with [[rule]] tables that
    have name and pattern, as PyTorch's test-infra has. A rule whose expression Regreen's engine
    can't do as it was meant (look-around, back-references, possessive quantifiers, several lines)
    is named and skipped.
    Exit code: 0 every rule is a draft, 18 some were skipped, 4 it is no such file.
    ");
}

#[test]
fn patterns_test() {
    assert_snapshot!(Bare::new().tell(&["patterns", "test", "--help"]), @r"
    exit code 0
    --- out
    Prove pattern files: by their own examples and counterexamples, and against every other pattern

    Usage: regreen patterns test [OPTIONS] <FILE>...

    Arguments:
      <FILE>...
              Pattern files, named after their ids; a folder that is named after a class must be theirs

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

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
      regreen patterns test .regreen/patterns/*.toml
      regreen patterns test catalog/patterns/network-timeout/my-pattern.toml

    A file below catalog/patterns takes the place of the built-in pattern with the same
    id. Exit code: 0 all of it holds, 18 something does not, 4 a file is invalid, 3 a file can't be
    read.
    ");
}

#[test]
fn patterns_accept() {
    assert_snapshot!(Bare::new().tell(&["patterns", "accept", "--help"]), @r"
    exit code 0
    --- out
    Accept a completed draft beside a fleet: it names such failures on every node

    Usage: regreen patterns accept [OPTIONS] <FILE>

    Arguments:
      <FILE>
              The completed draft, named after its id

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --ledger <ADDRESS>
              The ledger: a file, or postgres://… (default: fleet/ledger.db in the user's state folder)
              
              [env: REGREEN_LEDGER]

          --config <FILE>
              The operator's configuration (default: regreen/config.toml in the user's configuration
              folder); as for `serve`, the patterns that it names, or REGREEN_PATTERNS, are known beside
              this one
              
              [env: REGREEN_CONFIG=]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen patterns accept drafts/widget-registry-away.toml
      regreen patterns accept widget-registry-away.toml --ledger postgres://regreen@db/regreen
      regreen patterns accept widget-registry-away.toml --config /etc/regreen/config.toml

    Every node of `regreen serve` and `regreen worker` beside this ledger names such failures by it from
    then on, where none of the program's own patterns speaks. It only names: nothing is ever healed by
    it.
    The dashboard's *Patterns* does the same with a form.
    Exit code: 0 it stands, 18 it is invalid, does not prove itself or can't stand, 3 it can't be read.
    ");
}

#[test]
fn patterns_take_back() {
    assert_snapshot!(Bare::new().tell(&["patterns", "take-back", "--help"]), @r"
    exit code 0
    --- out
    Take an accepted pattern back

    Usage: regreen patterns take-back [OPTIONS] <ID>

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

          --ledger <ADDRESS>
              The ledger: a file, or postgres://… (default: fleet/ledger.db in the user's state folder)
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen patterns take-back widget-registry-away

    What it named stays on record.
    ");
}
