//! The help of every command that works beside the fleet.

use insta::assert_snapshot;

use crate::said::Bare;

#[test]
fn serve() {
    assert_snapshot!(Bare::new().tell(&["serve", "--help"]), @r"
    exit code 0
    --- out
    Beside the fleet: take webhooks, diagnose failed runs, and let the infrastructure's run again

    Usage: regreen serve [OPTIONS]

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --listen <ADDRESS:PORT>
              Where to take webhooks
              
              [default: 127.0.0.1:[PORT]]

          --github-secret-file <FILE>
              A file with a secret of GitHub's webhooks; several while it is being changed

          --gitlab-secret-file <FILE>
              A file with a token of GitLab's webhooks; several while it is being changed

          --job-token-file <FILE>
              A file with a token by which `regreen run --server` shows that it is a job of yours;
              several while it is being changed

          --read-here
              Let programs on this machine read what is on record without a token; only where no proxy
              leads here

          --no-work
              Take webhooks, and leave the work to `regreen worker`

          --ledger <ADDRESS>
              The ledger: a file, or postgres://… (default: fleet/ledger.db in the user's state folder)
              
              [env: REGREEN_LEDGER]

          --config <FILE>
              The operator's configuration (default: regreen/config.toml in the user's configuration
              folder)
              
              [env: REGREEN_CONFIG=]

          --github-token-file <FILE>
              A file with the token by which GitHub is asked

          --github-app <ID>
              Ask as this GitHub App, by its id or client id

          --github-app-key-file <FILE>
              A file with the app's private key (PEM)

          --github-api <URL>
              GitHub's API; of an enterprise's own, https://HOST/api/v3
              
              [default: https://api.github.com]

          --gitlab-token-file <FILE>
              A file with the token by which GitLab is asked (scope `api`)

          --gitlab-url <URL>
              GitLab; one's own, https://HOST[/PATH]
              
              [default: https://gitlab.com]

          --watch <OWNER/REPO>
              Look for failures in this repository that no webhook told; several may be named

          --watch-gitlab <GROUP/PROJECT>
              Look for failures in this project of GitLab's that no webhook told; several may be named

          --sweep-every <DURATION>
              How often to look for them
              
              [default: 15m]

          --at-once <N>
              How many runs are worked on at once
              
              [default: 4]

          --lease <DURATION>
              After this long another node goes on with what a dead one had
              
              [default: 1m]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen serve --github-secret-file /etc/regreen/hook --github-token-file /etc/regreen/token
      regreen serve --gitlab-secret-file /etc/regreen/hook --gitlab-token-file /etc/regreen/token
      regreen serve --listen 127.0.0.1:[PORT] --ledger postgres://regreen@db/regreen

    Webhooks come to /hooks/github and /hooks/gitlab; /healthz and /readyz answer a supervisor. It
    listens on this machine only unless told otherwise: put what ends TLS in front of it.
    Secrets come from files or from REGREEN_GITHUB_WEBHOOK_SECRET, REGREEN_GITLAB_WEBHOOK_TOKEN,
    REGREEN_JOB_TOKEN, REGREEN_GITHUB_TOKEN and REGREEN_GITLAB_TOKEN. The mode is `observe`
    until `[serve]` in the operator's configuration says more. SIGTERM and Ctrl-C end what is
    under way first.
    ");
}

#[test]
fn worker() {
    assert_snapshot!(Bare::new().tell(&["worker", "--help"]), @r"
    exit code 0
    --- out
    The same without taking webhooks: any number of them share a ledger

    Usage: regreen worker [OPTIONS]

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --once
              Do what is ready, say what came of it, and end

          --run <OWNER/REPO/RUN>
              Begin with this run; several may be named

          --run-gitlab <GROUP/PROJECT/PIPELINE>
              Begin with this pipeline of GitLab's; several may be named

          --max-age <DURATION>
              Leave runs alone of which the latest attempt began longer ago
              
              [default: 24h]

          --mode <MODE>
              How far to go where no rule of the configuration says less: observe, suggest, approve or
              auto

          --dry-run
              Say what would be done about these runs, and about those that --watch finds; change
              nothing

          --follow <DURATION>
              Look at once at every run that was sent off again, and until it has ended or this long has
              passed

          --only <PART>
              Do only this part of the work

              Possible values:
              - runs:    Look at runs, decide about them, act
              - telling: Tell people: issues, comments, notices

          --format <FORMAT>
              How to say it

              Possible values:
              - plain:  For people
              - json:   For programs: one object a line
              - github: As plain; and the step's summary and outputs where `GITHUB_STEP_SUMMARY` and
                `GITHUB_OUTPUT` name the files
              
              [default: plain]

          --ledger <ADDRESS>
              The ledger: a file, or postgres://… (default: fleet/ledger.db in the user's state folder)
              
              [env: REGREEN_LEDGER]

          --config <FILE>
              The operator's configuration (default: regreen/config.toml in the user's configuration
              folder)
              
              [env: REGREEN_CONFIG=]

          --github-token-file <FILE>
              A file with the token by which GitHub is asked

          --github-app <ID>
              Ask as this GitHub App, by its id or client id

          --github-app-key-file <FILE>
              A file with the app's private key (PEM)

          --github-api <URL>
              GitHub's API; of an enterprise's own, https://HOST/api/v3
              
              [default: https://api.github.com]

          --gitlab-token-file <FILE>
              A file with the token by which GitLab is asked (scope `api`)

          --gitlab-url <URL>
              GitLab; one's own, https://HOST[/PATH]
              
              [default: https://gitlab.com]

          --watch <OWNER/REPO>
              Look for failures in this repository that no webhook told; several may be named

          --watch-gitlab <GROUP/PROJECT>
              Look for failures in this project of GitLab's that no webhook told; several may be named

          --sweep-every <DURATION>
              How often to look for them
              
              [default: 15m]

          --at-once <N>
              How many runs are worked on at once
              
              [default: 4]

          --lease <DURATION>
              After this long another node goes on with what a dead one had
              
              [default: 1m]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen worker --ledger postgres://regreen@db/regreen --github-token-file /etc/regreen/token
      regreen worker --once --dry-run --watch octo-org/octo-repo
      regreen worker --once --mode auto --run octo-org/octo-repo/1589141559

    Any number of them may share a ledger; each piece of work is done by one at a time.

    --once is for where no process stays, such as a scheduled job: the work's list, what is known and
    what was begun are in the ledger, which has to be kept from one pass to the next. Exit code then: 0
    it is done, whatever the causes are; 5 the CI host did not let some of it be done, and it is tried
    again by a later pass.
    ");
}

#[test]
fn dispatch() {
    assert_snapshot!(Bare::new().tell(&["dispatch", "--help"]), @r"
    exit code 0
    --- out
    Put a run on the list of work by hand

    Usage: regreen dispatch [OPTIONS] <OWNER/REPO> <RUN>

    Arguments:
      <OWNER/REPO>
              Whose run it is

      <RUN>
              The run's or pipeline's id, as in its address

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --gitlab
              It is a pipeline of GitLab's

          --ledger <ADDRESS>
              The ledger: a file, or postgres://… (default: fleet/ledger.db in the user's state folder)
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen dispatch octo-org/octo-repo 1589141559
      regreen dispatch --gitlab group/project 4711

    The run is put on the list of work, and whichever `regreen serve` or `regreen worker` shares the
    ledger takes it up. What it may do there is what it may do by itself.
    ");
}

#[test]
fn token_create() {
    assert_snapshot!(Bare::new().tell(&["token", "create", "--help"]), @r"
    exit code 0
    --- out
    Make one: it is printed once, and kept nowhere

    Usage: regreen token create [OPTIONS] --name <NAME>

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --name <NAME>
              By which people know it; the audit log names what is done by it `token:NAME`

          --role <ROLE>
              What it may do

              Possible values:
              - viewer:   Read
              - operator: Also approve, deny, roll back, pause and the like
              - admin:    Whatever there is
              
              [default: viewer]

          --for-repository <OWNER/NAME>
              It is a job's of this repository: `regreen run --server` asks and tells by it, of no other
              one

          --expires-in <DURATION>
              How long it counts, at most ten years
              
              [default: 90d]

          --ledger <ADDRESS>
              The ledger: a file, or postgres://… (default: fleet/ledger.db in the user's state folder)
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen token create --name grafana > /etc/grafana/regreen-token
      regreen token create --name ann --role operator --expires-in 30d
      regreen token create --name shop-ci --for-repository octo-org/shop

    It is shown as `Authorization: Bearer TOKEN`. The ledger keeps a digest of it alone, so it can't be
    shown again.
    ");
}

#[test]
fn token_list() {
    assert_snapshot!(Bare::new().tell(&["token", "list", "--help"]), @r"
    exit code 0
    --- out
    Every token, with what it may do and when it was last used

    Usage: regreen token list [OPTIONS]

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
              The ledger: a file, or postgres://… (default: fleet/ledger.db in the user's state folder)
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Example:
      regreen token list --format json
    ");
}

#[test]
fn token_revoke() {
    assert_snapshot!(Bare::new().tell(&["token", "revoke", "--help"]), @r"
    exit code 0
    --- out
    Take one away, with every browser that signed in by it

    Usage: regreen token revoke [OPTIONS] <TOKEN>

    Arguments:
      <TOKEN>
              Its name or id

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
      regreen token revoke grafana
    ");
}
