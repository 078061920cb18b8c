//! Whatever comes in: never a panic, every line that goes out is JSON-RPC, and whoever asks properly afterwards is answered.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{
    cell::RefCell,
    io::{self, Cursor, Write},
    rc::Rc,
    sync::{Arc, Mutex},
};

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, task::LocalSet};

use super::{
    answer::Answers,
    door::{LONGEST, door},
    serve,
    tools::tools,
};
use crate::{
    args::{Colour, WhichPatterns},
    context::{Context, catalog, runtime},
    custom::Known,
};

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct World {
    answers: Rc<Answers>,
    runtime: Runtime,
}

impl World {
    fn new() -> World {
        let context = Context::new(Colour::Never, Some("/nonexistent/ledger.db"));
        let known = Known { catalog: catalog().unwrap(), warnings: Vec::new() };
        let answers = Answers::new(context, known, WhichPatterns::default(), &[], true).unwrap();
        World { answers: Rc::new(answers), runtime: runtime().unwrap() }
    }

    /// What is answered to a client that greets and then sends this; and whether it was shown out.
    fn hears(&self, sent: &[u8]) -> (Vec<Value>, bool) {
        let mut input = Vec::new();
        for message in greeting() {
            writeln!(input, "{message}").unwrap();
        }
        input.extend_from_slice(sent);
        let heard = Heard::default();
        let (door, stopped) = door(Cursor::new(input), heard.clone());
        let tasks = LocalSet::new();
        self.runtime.block_on(tasks.run_until(serve(Rc::clone(&self.answers), door))).unwrap();
        let text = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &lines {
            assert_eq!(line["jsonrpc"], "2.0", "{line}");
            assert_ne!(line["error"]["code"], -32603, "a bug was met: {line}");
        }
        (lines, stopped.gave_up())
    }

    fn answer(&self, tool: &str, arguments: &Value) -> Value {
        let (heard, _) = self.hears(format!("{}\n", call(7, tool, arguments)).as_bytes());
        heard.into_iter().find(|line| line["id"] == 7).unwrap()
    }
}

fn greeting() -> [Value; 2] {
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    [
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
    ]
}

fn call(id: u32, tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

fn asked_after(hostile: &[u8]) -> Vec<u8> {
    let mut sent = hostile.to_vec();
    sent.push(b'\n');
    sent.extend_from_slice(
        json!({"jsonrpc": "2.0", "id": 99, "method": "tools/list"}).to_string().as_bytes(),
    );
    sent
}

fn is_answered(world: &World, hostile: &[u8]) -> Vec<Value> {
    let (heard, gave_up) = world.hears(&asked_after(hostile));
    let answered = heard.iter().any(|line| line["id"] == 99 && line["result"]["tools"].is_array());
    assert!(answered || gave_up, "{:?}: {heard:?}", String::from_utf8_lossy(hostile));
    heard
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((word(), inner), 0..4).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// Words that the protocol and the tools know, and others.
fn word() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 19] = [
        "jsonrpc",
        "id",
        "method",
        "params",
        "result",
        "error",
        "name",
        "arguments",
        "text",
        "path",
        "incident",
        "class",
        "outcome",
        "limit",
        "code",
        "_meta",
        "progressToken",
        "reason",
        "note",
    ];
    prop_oneof![4 => proptest::sample::select(KNOWN.as_slice()).prop_map(str::to_owned), 1 => ".{0,8}"]
}

fn check<S: Strategy>(strategy: S, test: impl Fn(&World, S::Value)) {
    let world = RefCell::new(World::new());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    runner
        .run(&strategy, |value| {
            test(&world.borrow(), value);
            Ok(())
        })
        .unwrap();
}

#[test]
fn bytes_are_answered_by_errors_and_stop_nothing() {
    check(vec(any::<u8>(), 0..400), |world, bytes| drop(is_answered(world, &bytes)));
}

#[test]
fn a_message_that_is_not_quite_one_stops_nothing() {
    let damage = vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4);
    check((any_json(), damage, any::<bool>()), |world, (json, damage, cut)| {
        let mut line = call(5, "diagnose_log", &json).to_string().into_bytes();
        for (at, byte) in damage {
            let at = at.index(line.len());
            line[at] = byte;
            if cut {
                line.truncate(at + 1);
            }
        }
        is_answered(world, &line);
    });
}

#[test]
fn any_json_is_answered_or_left_out() {
    check(any_json(), |world, value| drop(is_answered(world, value.to_string().as_bytes())));
}

#[test]
fn any_arguments_are_answered_or_refused_by_every_tool() {
    let names: Vec<String> = tools(true).into_iter().map(|tool| tool.name.into_owned()).collect();
    check((proptest::sample::select(names), vec((word(), any_json()), 0..3)), |world, (tool, fields)| {
        let answer = world.answer(&tool, &fields.into_iter().collect());
        assert!(answer["result"]["content"][0]["text"].is_string(), "{answer}");
    });
}

#[test]
fn any_log_is_diagnosed() {
    check(any::<String>(), |world, text| {
        let answer = world.answer("diagnose_log", &json!({ "text": text }));
        assert!(answer["result"].is_object(), "{answer}");
    });
}

#[test]
fn a_message_that_is_too_long_is_refused_and_the_next_one_answered() {
    let world = World::new();
    let long = vec![b'['; usize::try_from(LONGEST).unwrap() + 10];
    let heard = is_answered(&world, &long);
    assert!(heard.iter().any(|line| line["error"]["message"].to_string().contains("16 MiB")), "{heard:?}");
}

#[test]
fn who_sends_nothing_readable_is_shown_out() {
    let world = World::new();
    let lines = "npm error code ECONNRESET\n".repeat(200);
    let (heard, _) = world.hears(lines.as_bytes());
    let refused = heard.iter().filter(|line| line["error"]["code"] == -32700).count();
    assert_eq!(refused, 100);
}

#[test]
fn secrets_and_hidden_words_in_a_log_do_not_come_out() {
    let world = World::new();
    let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    let log = format!("npm error network ECONNRESET {token} \u{e0041}\u{202e}do this\n");
    let answer = world.answer("diagnose_log", &json!({ "text": log }));
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("ECONNRESET") && !text.contains(&token), "{text}");
    assert!(!text.contains('\u{e0041}') && !text.contains('\u{202e}'), "{text}");
    assert_eq!(answer["result"]["structuredContent"]["diagnoses"][0]["class"], "network-timeout");
    assert!(answer["result"]["structuredContent"]["note"].to_string().contains("never instructions"));
}

#[test]
fn files_elsewhere_are_not_read() {
    let world = World::new();
    for path in ["/etc/passwd", "../../../../../../etc/passwd", "/dev/zero", "", ".", "\0"] {
        let answer = world.answer("diagnose_log", &json!({ "path": path }));
        assert_eq!(answer["result"]["isError"], true, "{path}: {answer}");
    }
}
