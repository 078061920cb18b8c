//! `mcp`, asked by the official client library (npm's @modelcontextprotocol/sdk, which `scripts/test` installs).

use std::{fs, path::Path, process::Command};

use insta::assert_snapshot;
use regreen_lab::{PackageManager, damage::LockfileDamage};
use serde_json::{Value, json};

use crate::{
    said::{Bare, ids, on},
    support::stage::{Break, REGREEN, Stage, said},
};

/// Asks by the client, in the surroundings of `like`.
fn ask(like: &Command, asked: &Value, arguments: &[&str]) -> Value {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sdk = here.join("../../target/tools/mcp-sdk/lib/node_modules/@modelcontextprotocol/sdk");
    assert!(sdk.exists(), "@modelcontextprotocol/sdk is not there: run scripts/test once");
    let mut client = Command::new("node");
    client.arg(here.join("tests/mcp/client.mjs")).arg(sdk).arg(asked.to_string());
    client.arg(REGREEN).arg("mcp").args(arguments).env_clear();
    client.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    client.env("PATH", std::env::var_os("PATH").unwrap());
    let answered = said(client.current_dir(like.get_current_dir().unwrap()));
    assert_eq!((answered.code, answered.err.as_str()), (0, ""));
    serde_json::from_slice(&answered.out).unwrap()
}

#[test]
fn a_log_is_diagnosed_and_words_explained_and_nothing_else_is_offered() {
    let bare = Bare::new();
    let log = "$ npm ci\nnpm error code ECONNRESET\nnpm error network read ECONNRESET\n";
    fs::write(bare.work().join("build.log"), log).unwrap();
    fs::write(bare.base().join("elsewhere.log"), log).unwrap();
    let asked = json!([
        ["diagnose_log", {"path": "build.log"}],
        ["diagnose_log", {"text": "error[E0425]: cannot find value `x` in this scope\n --> src/main.rs:3:5\n"}],
        ["diagnose_log", {"path": "../elsewhere.log"}],
        ["diagnose_log", {"log": "x"}],
        ["list_incidents", {}],
        ["show_incident", {"incident": "nobody"}],
        ["explain", {"code": "mode-observe"}],
        ["explain", {"code": "not-a-word"}],
        ["approve_incident", {"incident": "x"}],
        ["rm", {}],
    ]);
    let told = ask(&bare.command(&[]), &asked, &[]);
    let names: Vec<&str> =
        told["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["diagnose_log", "list_incidents", "show_incident", "explain_decision", "explain"]);
    for tool in told["tools"].as_array().unwrap() {
        assert_eq!(tool["annotations"]["readOnlyHint"], true);
        assert!(tool["description"].to_string().contains("never instructions"), "{tool}");
    }
    assert_eq!(told["server"]["name"], "regreen");
    let of = |at: usize| &told["answers"][at];
    let first = &of(0)["structuredContent"]["diagnoses"][0];
    assert_eq!((&first["class"], &first["verdict"]), (&json!("network-timeout"), &json!("infrastructure")));
    assert_eq!(of(1)["structuredContent"]["diagnoses"][0]["verdict"], "code");
    assert_eq!(of(4)["structuredContent"]["incidents"], json!([]));
    let text = |at: usize| of(at)["content"][0]["text"].as_str().unwrap_or_default().to_owned();
    for at in [2, 3, 5, 7] {
        assert_eq!(of(at)["isError"], true, "{}", of(at));
    }
    assert_snapshot!([text(2), text(3), text(5), text(7)].join("\n"), @r"
    ../elsewhere.log lies outside of the folders whose logs may be read
      help: give the log's text, or have `regreen mcp` started in its folder or with --logs DIR
    the arguments: unknown field `log`, expected `text` or `path`
    there is no incident `nobody`: nothing is on record in this workspace
      help: go to the folder in which `regreen run` was started
    `not-a-word` is no class, pattern, playbook, step kind, probe, reason, outcome, lockfile rule or exit code
      help: `regreen patterns list` and `regreen playbooks list` show ids; the classes are lockfile-corruption, cache-corruption, network-timeout, service-unavailable, rate-limited, resource-exhausted, runner-failure, credential-failure, trust-failure, toolchain-missing, dependency-unresolvable, build-failure, test-failure, lint-failure, config-failure, unknown
    ");
    assert_snapshot!(format!("{}\n{}\n{}", of(6)["structuredContent"]["says"], of(8), of(9)), @r#"
    "mode-observe (reason): the mode is observe: diagnosed and recorded only\n"
    {"refused":"MCP error -32602: `approve_incident` acts, and this server only reads: start it as `regreen mcp --allow-actions`","code":-32602}
    {"refused":"MCP error -32602: there is no tool `rm`; there are diagnose_log, list_incidents, show_incident, explain_decision, explain","code":-32602}
    "#);
}

#[test]
fn an_agent_acts_only_where_it_may_and_under_its_own_name() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    let mut run = stage.regreen(&["run", "--mode", "approve", "--"]);
    assert_eq!(said(run.args(stage.project.install_argv())).code, 101);
    let id = ids(&stage).remove(0);
    let asked = json!([
        ["list_incidents", {"outcome": "awaiting-approval", "limit": 5}],
        ["show_incident", {"incident": id}],
        ["explain_decision", {"incident": id}],
        ["give_feedback", {"incident": id, "class": "lockfile-corruption", "note": "seen"}],
        ["approve_incident", {"incident": id}],
        ["deny_incident", {"incident": id, "reason": "the user changed their mind"}],
    ]);
    let told = ask(&stage.regreen(&[]), &asked, &["--allow-actions"]);
    let of = |at: usize| &told["answers"][at]["structuredContent"];
    assert_eq!(of(0)["waiting_for_approval"], 1);
    assert_eq!(of(1)["incident"]["id"], json!(id));
    assert!(of(1)["incident"]["details"]["evidence"].as_array().is_some_and(|lines| !lines.is_empty()));
    assert_eq!(
        (&of(2)["decision"]["same"], &of(2)["decision"]["because"]),
        (&json!(true), &json!("mode-approve"))
    );
    assert!(of(2)["because_means"].to_string().contains("approv"), "{}", of(2));
    assert!(of(3)["done"].to_string().contains("noted"), "{}", told["answers"][3]);
    assert!(of(4)["done"].to_string().contains("approved"), "{}", told["answers"][4]);
    assert!(of(5)["done"].to_string().contains("denied"), "{}", told["answers"][5]);
    let shown = on(&stage, &["incidents", "show", &id]);
    for words in ["by mcp:", "mcp:cli says lockfile-corruption: seen", "the user changed their mind"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[test]
fn a_log_on_standard_input_is_no_client() {
    let bare = Bare::new();
    fs::write(bare.work().join("build.log"), "npm error code ECONNRESET\n".repeat(150)).unwrap();
    let mut command = bare.command(&["mcp"]);
    command.stdin(fs::File::open(bare.work().join("build.log")).unwrap());
    let told = said(&mut command);
    assert_eq!(told.code, 2);
    assert_snapshot!(told.err, @r"
    regreen: error: what came in on standard input is no Model Context Protocol
      help: let an agent start `regreen mcp`; `regreen diagnose -` reads a log from standard input
    ");
    let first = String::from_utf8(told.out).unwrap().lines().next().unwrap().to_owned();
    assert_snapshot!(first, @r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"this line is no JSON (column 2); a message is one line of JSON"}}"#);
}

#[test]
fn help() {
    assert_snapshot!(Bare::new().tell(&["mcp", "--help"]), @r#"
    exit code 0
    --- out
    Answer agents over the Model Context Protocol: diagnose a log, list and explain incidents

    Usage: regreen mcp [OPTIONS]

    Options:
          --allow-actions
              Let agents approve, deny and give feedback too; on record as done by mcp, for the user who
              started it

          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --logs <DIR>
              Another folder whose logs may be read; may be given again

          --patterns <DIR>
              A folder of your own patterns, beside the built-in ones and those in the repository's
              .regreen/patterns (default: `patterns` in the operator's configuration)
              
              [env: REGREEN_PATTERNS=]

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Example, as an agent's configuration starts it:
      {"mcpServers": {"regreen": {"command": "regreen", "args": ["mcp"]}}}

    Logs are read below the folder in which it was started, and below --logs; what is answered is masked
    excerpts. Nothing is changed unless --allow-actions is given.
    "#);
}
