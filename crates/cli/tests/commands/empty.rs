//! Nothing on record: each command says so, and none leaves anything behind.

use insta::assert_snapshot;

use crate::said::Bare;

#[test]
fn reading_commands_say_that_there_is_nothing() {
    let bare = Bare::new();
    assert_snapshot!(bare.tell(&["status"]), @r"
    exit code 0
    --- out
    regreen  0.1.0
    state    idle
    nothing is on record in this workspace
    ");
    assert_snapshot!(bare.tell(&["status", "--format", "json"]), @r#"
    exit code 0
    --- out
    {"version":1,"regreen":"0.1.0","state":"idle","paused":null,"incidents":0,"awaiting_approval":0,"open_breakers":0,"audit_head":null,"targets":[{"name":"detection_accuracy","unit":"share","side":"at-least","limit":0.95,"value":null,"n":0,"verdict":"no data"},{"name":"false_positive_rate","unit":"share","side":"under","limit":0.05,"value":null,"n":0,"verdict":"no data"},{"name":"mean_detection_time","unit":"seconds","side":"under","limit":120.0,"value":null,"n":0,"verdict":"no data"},{"name":"detection_latency","unit":"seconds","side":"under","limit":30.0,"value":null,"n":0,"verdict":"no data"},{"name":"mean_recovery_time","unit":"seconds","side":"under","limit":300.0,"value":null,"n":0,"verdict":"no data"},{"name":"success_rate","unit":"share","side":"at-least","limit":0.9,"value":null,"n":0,"verdict":"no data"},{"name":"engine_overhead","unit":"share","side":"under","limit":0.02,"value":null,"n":0,"verdict":"no data"}]}
    "#);
    assert_snapshot!(bare.tell(&["incidents", "list"]), @r"
    exit code 0
    --- out
    nothing is on record in this workspace
    ");
    assert_snapshot!(bare.tell(&["incidents", "list", "--format", "json"]), @"exit code 0");
    assert_snapshot!(bare.tell(&["breaker", "list"]), @r"
    exit code 0
    --- out
    nothing is on record in this workspace
    ");
    assert_snapshot!(bare.tell(&["breaker", "list", "--format", "json"]), @"exit code 0");
    assert_snapshot!(bare.tell(&["audit", "verify"]), @r"
    exit code 0
    --- out
    nothing is on record in this workspace
    ");
    assert_snapshot!(bare.tell(&["audit", "verify", "--head", "abc"]), @r"
    exit code 18
    --- err
    regreen: error: nothing is on record in this workspace, so it never had this head
      help: the ledger was deleted, or this is another folder
    ");
    assert_snapshot!(bare.tell(&["metrics", "export"]), @r#"
    exit code 0
    --- out
    {"version":1,"regreen":"0.1.0","audit_head":"[DIGEST]","incidents":0,"by_class":{},"by_outcome":{},"targets":[{"name":"detection_accuracy","unit":"share","side":"at-least","limit":0.95,"value":null,"n":0,"verdict":"no data"},{"name":"false_positive_rate","unit":"share","side":"under","limit":0.05,"value":null,"n":0,"verdict":"no data"},{"name":"mean_detection_time","unit":"seconds","side":"under","limit":120.0,"value":null,"n":0,"verdict":"no data"},{"name":"detection_latency","unit":"seconds","side":"under","limit":30.0,"value":null,"n":0,"verdict":"no data"},{"name":"mean_recovery_time","unit":"seconds","side":"under","limit":300.0,"value":null,"n":0,"verdict":"no data"},{"name":"success_rate","unit":"share","side":"at-least","limit":0.9,"value":null,"n":0,"verdict":"no data"},{"name":"engine_overhead","unit":"share","side":"under","limit":0.02,"value":null,"n":0,"verdict":"no data"}],"accuracy":null,"false_positives":null,"success":null,"rollback":null,"detect_ms":null,"decide_ms":null,"recovery_ms":null,"act_ms":null,"verify_ms":null,"between_ms":null,"mttr_ms":null,"saved":null}
    "#);
    assert_snapshot!(bare.tell(&["metrics", "export", "--format", "prometheus"]), @r#"
    exit code 0
    --- out
    # HELP regreen_info Version of Regreen and head of its audit chain.
    # TYPE regreen_info gauge
    regreen_info{version="0.1.0",audit_head="[DIGEST]"} 1
    "#);
    assert_snapshot!(bare.tell(&["metrics", "export", "--format", "original"]), @r#"
    exit code 0
    --- out
    {
      "version": "0.1.0",
      "current_metrics": {
        "failure_detection": {
          "detection_accuracy": null,
          "mean_detection_time": null,
          "false_positive_rate": null
        },
        "recovery_orchestration": {
          "success_rate_target": 0.9,
          "success_rate": null,
          "mean_recovery_time": null,
          "rollback_capability": null
        },
        "performance_metrics": {
          "engine_overhead": null,
          "detection_latency": null,
          "recovery_efficiency": null
        }
      },
      "targets": {
        "detection_accuracy": 0.95,
        "false_positive_rate": 0.05,
        "mean_detection_time": 120.0,
        "detection_latency": 30.0,
        "mean_recovery_time": 300.0,
        "success_rate": 0.9,
        "engine_overhead": 0.02
      },
      "history": []
    }
    "#);
    assert_snapshot!(bare.tell(&["state", "export", "-"]), @r"
    exit code 0
    --- err
    regreen: nothing is on record in this workspace, so nothing was exported
    ");
    assert_snapshot!(bare.tell(&["resume"]), @r"
    exit code 0
    --- err
    regreen: nothing stands open here
    ");
    assert_snapshot!(bare.tell(&["unpause"]), @r"
    exit code 0
    --- out
    healing was not paused
    ");
    assert_snapshot!(bare.tell(&["breaker", "reset", "--all"]), @r"
    exit code 0
    --- out
    no breaker was ever told anything
    ");
    assert!(!bare.base().join("state").exists(), "a look made a state folder");
}

#[test]
fn an_incident_that_is_not_there_is_named() {
    let bare = Bare::new();
    for command in [
        &["incidents", "show", "x"][..],
        &["incidents", "replay", "x"],
        &["approve", "x"],
        &["deny", "x"],
        &["rollback", "x"],
        &["feedback", "x", "--class", "unknown"],
    ] {
        assert_eq!(
            bare.tell(command),
            "exit code 3\n--- err\nregreen: error: there is no incident `x`: nothing is on record in this workspace\n  \
             help: go to the folder in which `regreen run` was started\n",
            "{command:?}"
        );
    }
    assert!(!bare.base().join("state").exists(), "a refusal made a state folder");
}

#[test]
fn an_empty_target_is_an_error_and_never_everything() {
    let bare = Bare::new();
    assert_snapshot!(bare.tell(&["breaker", "reset"]), @r"
    exit code 2
    --- err
    error: the following required arguments were not provided:
      <KEY>...

    Usage: regreen breaker reset <KEY>...

    For more information, try '--help'.
    ");
    assert_snapshot!(bare.tell(&["breaker", "reset", ""]), @r"
    exit code 2
    --- err
    error: a value is required for '[KEY]...' but none was supplied

    For more information, try '--help'.
    ");
    assert_snapshot!(bare.tell(&["breaker", "reset", "network-timeout/npm/x", "--all"]), @r"
    exit code 2
    --- err
    error: the argument '[KEY]...' cannot be used with '--all'

    Usage: regreen breaker reset <KEY>...

    For more information, try '--help'.
    ");
    assert_snapshot!(bare.tell(&["breaker", "reset", "network-timeout/npm/x"]), @r"
    exit code 3
    --- err
    regreen: error: there is no breaker `network-timeout/npm/x`
      help: `regreen breaker list` shows what there is
    ");
    assert_snapshot!(bare.tell(&["rollback", ""]), @r"
    exit code 2
    --- err
    error: a value is required for '<INCIDENT>' but none was supplied

    For more information, try '--help'.
    ");
    assert_snapshot!(bare.tell(&["incidents", "list", "--limit", "0"]), @r"
    exit code 2
    --- err
    error: invalid value '0' for '--limit <N>': 0 is not in 1..=10000

    For more information, try '--help'.
    ");
    assert_snapshot!(bare.tell(&["incidents", "list", "--class", "weather"]), @r"
    exit code 2
    --- err
    error: invalid value 'weather' for '--class <CLASS>': no such class; the classes are lockfile-corruption, cache-corruption, network-timeout, service-unavailable, rate-limited, resource-exhausted, runner-failure, credential-failure, trust-failure, toolchain-missing, dependency-unresolvable, build-failure, test-failure, lint-failure, config-failure, unknown

    For more information, try '--help'.
    ");
    assert_snapshot!(bare.tell(&["feedback", "x", "--class", "weather"]), @r"
    exit code 2
    --- err
    error: invalid value 'weather' for '--class <CLASS>': no such class; the classes are lockfile-corruption, cache-corruption, network-timeout, service-unavailable, rate-limited, resource-exhausted, runner-failure, credential-failure, trust-failure, toolchain-missing, dependency-unresolvable, build-failure, test-failure, lint-failure, config-failure, unknown

    For more information, try '--help'.
    ");
    assert_snapshot!(bare.tell(&["incidents", "list", "--outcome", "fine"]), @r"
    exit code 2
    --- err
    error: invalid value 'fine' for '--outcome <OUTCOME>'
      [possible values: healed, rolled-back, stuck, suggested, awaiting-approval, left-alone, handed-over, open, approved]

    For more information, try '--help'.
    ");
}
