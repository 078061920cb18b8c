//! The help of every command about what Regreen knows.

use insta::assert_snapshot;

use crate::said::Bare;

#[test]
fn playbooks_list() {
    assert_snapshot!(Bare::new().tell(&["playbooks", "list", "--help"]), @r"
    exit code 0
    --- out
    Every playbook with its risk

    Usage: regreen playbooks list [OPTIONS]

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

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen playbooks list --format json
    ");
}

#[test]
fn playbooks_show() {
    assert_snapshot!(Bare::new().tell(&["playbooks", "show", "--help"]), @r"
    exit code 0
    --- out
    What a playbook heals, by which steps, and how far it may go

    Usage: regreen playbooks show [OPTIONS] <ID>

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

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen playbooks show repair-lockfile
    ");
}

#[test]
fn patterns() {
    assert_snapshot!(Bare::new().tell(&["patterns", "--help"]), @r"
    exit code 0
    --- out
    List the patterns, show one, or prove pattern files

    Usage: regreen patterns [OPTIONS] <COMMAND>

    Commands:
      list  Every pattern with its class
      show  What a pattern looks for, what it means, and how often it was right
      test  Prove pattern files: by their own examples and counterexamples, and against every other
            pattern
      help  Print this message or the help of the given subcommand(s)

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

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen patterns show npm-lockfile-unreadable
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

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen patterns test .regreen/patterns/*.toml
      regreen patterns test catalog/patterns/network-timeout/my-pattern.toml

    A file takes the place of a pattern with the same id. Exit code: 0 all of it holds,
    18 something does not, 4 a file is invalid, 3 a file can't be read.
    ");
}

#[test]
fn explain() {
    assert_snapshot!(Bare::new().tell(&["explain", "--help"]), @r"
    exit code 0
    --- out
    Explain a class, pattern, playbook, step kind, probe, reason or exit code

    Usage: regreen explain [OPTIONS] <CODE>

    Arguments:
      <CODE>
              Its id, or an exit code

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

    Examples:
      regreen explain lockfile-corruption
      regreen explain not-confirmed
      regreen explain 14
    ");
}

#[test]
fn completions() {
    assert_snapshot!(Bare::new().tell(&["completions", "--help"]), @r"
    exit code 0
    --- out
    Print shell completions

    Usage: regreen completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>
              For which shell
              
              [possible values: bash, elvish, fish, powershell, zsh]

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

    Example:
      regreen completions bash > ~/.local/share/bash-completion/completions/regreen
    ");
}
