//! What Regreen knows: patterns, playbooks and explanations.

use insta::assert_snapshot;

use crate::{said::Bare, support::stage::said};

#[test]
fn playbooks_are_listed_and_shown() {
    let bare = Bare::new();
    assert_snapshot!(bare.tell(&["playbooks", "list"]), @r"
    exit code 0
    --- out
    failover-to-mirror         low     The registry was down
    free-disk-space            medium  The disk was full
    quarantine-cache-entries   medium  Entries of the package cache were damaged
    raise-heap-limit           low     A runtime used up its own heap
    repair-lockfile            medium  The lockfile was damaged
    rerun-after-shared-repair  low     Another job has healed the same damage
    rerun-failed-jobs          low     The infrastructure failed, and the job is over
    use-less-memory            low     The machine ran out of memory
    wait-and-quarantine        medium  The cache was damaged while its registry was down
    wait-and-rerun             low     The registry could not be reached
    ");
    assert_snapshot!(bare.tell(&["playbooks", "show", "wait-and-rerun"]), @r"
    exit code 0
    --- out
    playbook   wait-and-rerun
    heals      network-timeout, service-unavailable, rate-limited
    tools      npm, cargo, pip, pnpm, yarn, uv, poetry, pipenv, composer, go, bundler, bun
    status     stable since 0.1.0
    source     built-in
    risk       low
    attempts   3 per commit and job
    cooldown   0s
    may write  nothing
    step       wait-until-reachable (tool = {tool})
    step       raise-retries (tool = {tool})
    step       nothing-else-changed
    step       rerun-command
    step       tool-consistent

    The registry could not be reached.

    A download was cut, refused, throttled or never answered. Regreen asks the registries that the job is configured to use,
    and behind them for a package of the lockfile, until all of them answer, with exponential backoff, full jitter,
    `Retry-After` and the reset of rate limits. Then it repeats the command once, with the tool's own retries raised, so that a
    single download that fails again is asked for again and does not fail the whole command.
    ");
    assert_snapshot!(bare.tell(&["playbooks", "show", "wait-and-rerun", "--format", "json"]), @r#"
    exit code 0
    --- out
    {"version":1,"id":"wait-and-rerun","title":"The registry could not be reached","since":"0.1.0","status":"stable","source":"built-in","heals":["network-timeout","service-unavailable","rate-limited"],"tools":["npm","cargo","pip","pnpm","yarn","uv","poetry","pipenv","composer","go","bundler","bun"],"paths":[],"risk":"low","attempts":3,"cooldown_ms":0,"steps":[{"id":"reachable","kind":"wait-until-reachable","args":{"tool":"{tool}"}},{"id":"patient","kind":"raise-retries","args":{"tool":"{tool}"}},{"id":"nothing-else-changed","kind":"nothing-else-changed","args":{}},{"id":"rerun-command","kind":"rerun-command","args":{}},{"id":"tool-consistent","kind":"tool-consistent","args":{}}],"explain":"A download was cut, refused, throttled or never answered. Regreen asks the registries that the job is configured to use,\nand behind them for a package of the lockfile, until all of them answer, with exponential backoff, full jitter,\n`Retry-After` and the reset of rate limits. Then it repeats the command once, with the tool's own retries raised, so that a\nsingle download that fails again is asked for again and does not fail the whole command.","proofs":{"decisions":[{"name":"the connection was reset and the registry answers again","decision":"heal","because":null},{"name":"the fourth time is no accident","decision":"suggest","because":"attempts-used-up"}],"rehearsals":[{"name":"it does not come back in time","breaks":"reachable","outcome":"rolled-back","undone":[]}]}}
    "#);
    assert_snapshot!(bare.tell(&["playbooks", "show", "prayer"]), @r"
    exit code 3
    --- err
    regreen: error: there is no playbook `prayer`
      help: `regreen playbooks list` shows what there is
    ");
}

#[test]
fn playbooks_are_rehearsed() {
    let bare = Bare::new();
    assert_snapshot!(bare.tell(&["playbooks", "rehearse", "repair-lockfile"]), @r"
    exit code 0
    --- out
    repair-lockfile  decision   holds  a lockfile that a probe saw damaged
    repair-lockfile  decision   holds  only the log says so
    repair-lockfile  decision   holds  the third attempt was the last
    repair-lockfile  rehearsal  holds  the repair breaks in the middle
    repair-lockfile  rehearsal  holds  the repair can't be taken back
    repair-lockfile  laws       holds  5 laws at every crash point of 5 steps, 1551 runs

    all of it holds
    ");
    assert_snapshot!(bare.tell(&["playbooks", "rehearse", "rerun-after-shared-repair", "--format", "json"]), @r#"
    exit code 0
    --- out
    {"version":1,"playbook":"rerun-after-shared-repair","check":"decision","name":"another job has healed the cache","holds":true,"problem":null,"runs":0}
    {"version":1,"playbook":"rerun-after-shared-repair","check":"decision","name":"the fourth time is no accident","holds":true,"problem":null,"runs":0}
    {"version":1,"playbook":"rerun-after-shared-repair","check":"rehearsal","name":"nobody has healed it","holds":true,"problem":null,"runs":1}
    {"version":1,"playbook":"rerun-after-shared-repair","check":"laws","name":"5 laws at every crash point of 4 steps","holds":true,"problem":null,"runs":1072}
    "#);
    assert_snapshot!(bare.tell(&["playbooks", "rehearse", "prayer"]), @r"
    exit code 3
    --- err
    regreen: error: there is no playbook `prayer`
      help: `regreen playbooks list` shows what there is
    ");
}

#[test]
fn patterns_are_listed_and_shown() {
    let bare = Bare::new();
    let listed = said(&mut bare.command(&["patterns", "list"]));
    let json = said(&mut bare.command(&["patterns", "list", "--format", "json"]));
    let known = regreen_builtin::catalog().unwrap().patterns().len();
    assert_eq!((listed.code, String::from_utf8(listed.out).unwrap().lines().count()), (0, known));
    let json = String::from_utf8(json.out).unwrap();
    assert_eq!(json.lines().count(), known);
    for line in json.lines() {
        let shape: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(shape["version"], 1);
    }
    let shown = bare.tell(&["patterns", "show", "cargo-lockfile-unreadable"]);
    assert!(shown.starts_with("exit code 0\n--- out\npattern") && shown.contains("What to do: "), "{shown}");
    assert_snapshot!(bare.tell(&["patterns", "show", "tea-leaves"]), @r"
    exit code 3
    --- err
    regreen: error: there is no pattern `tea-leaves`
      help: `regreen patterns list` shows what there is
    ");
}

#[test]
fn explanations_read_well() {
    let bare = Bare::new();
    assert_snapshot!(bare.tell(&["explain", "network-timeout"]), @r"
    exit code 0
    --- out
    network-timeout (class): time-outs, resets, hang-ups, DNS failures, unreachable hosts
    It is infrastructure; a playbook may heal it.
    Patterns: [N] (see `regreen patterns list`).
    Playbooks: failover-to-mirror, rerun-failed-jobs, wait-and-rerun.
    ");
    assert_snapshot!(bare.tell(&["explain", "not-confirmed"]), @r"
    exit code 0
    --- out
    not-confirmed (reason): the log says so, but no probe of the workspace, cache or remote confirmed it
    ");
    // A playbook and the step kind that it is made of.
    assert_snapshot!(bare.tell(&["explain", "repair-lockfile"]), @r"
    exit code 0
    --- out
    repair-lockfile (playbook): The lockfile was damaged

    The lockfile can't be read, was cut off, holds conflict markers, or carries a checksum that the trusted history of the
    repository contradicts. Regreen writes the smallest change that makes it whole: the last good version, a merge entry by
    entry, the checksum that history held, or the last good version completed by the tool's own resolver with scripts off.
    No package is upgraded, no host is added, and no checksum is taken from an unsigned registry's word.

    More: regreen playbooks show repair-lockfile

    repair-lockfile (step kind): Makes a damaged lockfile whole by the smallest change: the last good version of the trusted history, a merge of both sides, single checksums that the history held, or the last good version completed by the tool's own resolver.
    ");
    assert_snapshot!(bare.tell(&["explain", "14"]), @r"
    exit code 0
    --- out
    exit code 14: refused by policy, or by what was found
    ");
    assert_snapshot!(bare.tell(&["explain", "manifest"]), @r"
    exit code 0
    --- out
    manifest (probe): looks at the manifest: it agrees with the lockfile
    Measured: nothing is measured of it yet, so it confirms but raises no confidence.
    ");
    assert_snapshot!(bare.tell(&["explain", "lockfile-corrupt"]), @r"
    exit code 2
    --- err
    regreen: error: `lockfile-corrupt` is no class, pattern, playbook, step kind, probe, reason, outcome, lockfile rule or exit code
      help: did you mean: lockfile, lockfile-corruption
    ");
    assert_snapshot!(bare.tell(&["explain", "19"]), @r"
    exit code 2
    --- err
    regreen: error: `19` is no class, pattern, playbook, step kind, probe, reason, outcome, lockfile rule or exit code
      help: `regreen patterns list` and `regreen playbooks list` show ids; the classes are lockfile-corruption, cache-corruption, network-timeout, service-unavailable, rate-limited, resource-exhausted, runner-failure, credential-failure, trust-failure, toolchain-missing, dependency-unresolvable, build-failure, test-failure, lint-failure, config-failure, unknown
    ");
    assert_snapshot!(bare.tell(&["explain", ""]), @r"
    exit code 2
    --- err
    regreen: error: `` is no class, pattern, playbook, step kind, probe, reason, outcome, lockfile rule or exit code
      help: `regreen patterns list` and `regreen playbooks list` show ids; the classes are lockfile-corruption, cache-corruption, network-timeout, service-unavailable, rate-limited, resource-exhausted, runner-failure, credential-failure, trust-failure, toolchain-missing, dependency-unresolvable, build-failure, test-failure, lint-failure, config-failure, unknown
    ");
}
