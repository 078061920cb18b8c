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
