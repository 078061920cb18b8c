//! `regreen diagnose`: what it takes, how it says it, and how it ends.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::Stdio,
};

use insta::assert_snapshot;
use serde_json::Value;

use crate::{
    said::Bare,
    support::stage::{Said, said},
};

const NETWORK: &str = "\
2024-05-01T12:00:00.0000000Z Current runner version: '2.316.0'
2024-05-01T12:00:01.0000000Z ##[group]Run npm ci
2024-05-01T12:00:01.0000000Z ##[endgroup]
2024-05-01T12:00:02.0000000Z \u{1b}[31mnpm error code ECONNRESET\u{1b}[0m
2024-05-01T12:00:02.0000000Z ##[error]Process completed with exit code 1.
2024-05-01T12:00:03.0000000Z Post job cleanup.
";

const CODE: &str = "gcc -c a.c\na.c:3:9: error: expected expression\nmake: *** [a.o] Error 1\n";

const PASSED: &str = "travis_fold:start:install\r\nnpm ERR! code ECONNRESET\ntravis_fold:end:install\r\n\n\
                      Done. Your build exited with 0.\n";

fn with(files: &[(&str, &[u8])]) -> Bare {
    let bare = Bare::new();
    for (name, bytes) in files {
        let path: PathBuf = bare.work().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    bare
}

fn run(bare: &Bare, arguments: &[&str]) -> Said {
    said(&mut bare.command(&[&["diagnose"], arguments].concat()))
}

/// Input and class of each line of JSON.
fn classes(of: &Said) -> Vec<String> {
    let out = String::from_utf8(of.out.clone()).unwrap();
    let class = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        let failed = if value["failed"] == true { value["class"].as_str() } else { Some("passed") };
        format!("{} {}", value["input"].as_str().unwrap(), failed.unwrap())
    };
    out.lines().map(class).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// What is said before the first number that is measured anew with every model.
fn excerpt(of: &Said) -> String {
    let out = String::from_utf8(of.out.clone()).unwrap();
    out.split("  = why").next().unwrap().to_owned()
}

#[test]
fn people_see_the_line_and_what_to_do() {
    let bare = with(&[("job.log", NETWORK.as_bytes()), ("code.log", CODE.as_bytes())]);
    let network = run(&bare, &["job.log"]);
    assert_eq!(network.code, 10);
    assert_snapshot!(excerpt(&network), @r"
    warning[npm-connection-lost]: infrastructure: network-timeout
     --> job.log:4:35
      |
    4 | npm error code ECONNRESET
      | ^^^^^^^^^^^^^^^^^^^^^^^^^ the cause
    ");
    let code = run(&bare, &["code.log"]);
    assert_eq!(code.code, 11);
    assert_snapshot!(excerpt(&code), @r"
    error[gcc-error]: code: build-failure
     --> code.log:2:1
      |
    2 | a.c:3:9: error: expected expression
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the cause
      |
     ::: code.log:3:1
      |
    3 | make: *** [a.o] Error 1
      | ----------------------- followed from it
    ");
    for said in [&network, &code] {
        let out = String::from_utf8(said.out.clone()).unwrap();
        assert!(out.contains("= help: ") && out.contains("fingerprint"), "{out}");
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
        assert!(!out.contains('\u{1b}'), "colour where there is no terminal: {out}");
    }
    let coloured = run(&bare, &["--color", "always", "job.log"]);
    let coloured = String::from_utf8(coloured.out).unwrap();
    assert!(coloured.contains('\u{1b}') && coloured.contains("job.log:4:35"), "{coloured}");
}

#[test]
fn every_answer_names_its_input() {
    const ODD: &[u8] = b"hello\nsomething odd\n";
    let bare = with(&[
        ("many/a.log", ODD),
        ("many/b.log", b"exit 1\n"),
        ("many/c.log", CODE.as_bytes()),
        ("run.zip", &zip(&[("1_odd.txt", ODD), ("2_lint.txt", CODE.as_bytes())])),
    ]);
    let run = run(&bare, &["many", "run.zip", "many/a.log"]);
    let out = String::from_utf8(run.out).unwrap();
    let names: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix(" --> ")).collect();
    assert_eq!(
        names,
        [
            "many/a.log",
            "many/b.log",
            "many/c.log:2:1",
            "run.zip:1_odd.txt",
            "run.zip:2_lint.txt:2:1",
            "many/a.log"
        ],
        "{out}"
    );
}

#[test]
fn files_folders_patterns_archives_and_standard_input() {
    let run_of_two = zip(&[
        ("0_build.txt", NETWORK.as_bytes()),
        ("build/1_npm ci.txt", b"x"),
        ("1_lint.txt", CODE.as_bytes()),
    ]);
    let bare = with(&[
        ("logs/b.log", CODE.as_bytes()),
        ("logs/deep/a.log.gz", &gzip(NETWORK.as_bytes())),
        ("logs/deep/.hidden.log", b"x"),
        ("logs/picture.png", b"\x89PNG\r\n\x1a\n"),
        ("logs/passed.txt", PASSED.as_bytes()),
        ("run.zip", &run_of_two),
    ]);
    let json = |arguments: &[&str]| run(&bare, &[&["--format", "json"], arguments].concat());
    let folder = json(&["logs"]);
    assert_eq!(
        classes(&folder),
        ["logs/b.log build-failure", "logs/deep/a.log.gz network-timeout", "logs/passed.txt passed"]
    );
    assert_eq!((folder.code, folder.err.as_str()), (10, ""));
    assert_eq!(classes(&json(&["logs/**/*.log"])), ["logs/b.log build-failure"]);
    let archive = json(&["run.zip"]);
    assert_eq!(
        classes(&archive),
        ["run.zip:0_build.txt network-timeout", "run.zip:1_lint.txt build-failure"]
    );
    for (file, want) in [("logs/passed.txt", "- passed"), ("logs/deep/a.log.gz", "- network-timeout")] {
        let mut command = bare.command(&["diagnose", "--format", "json"]);
        command.stdin(Stdio::from(File::open(bare.work().join(file)).unwrap()));
        assert_eq!(classes(&said(&mut command)), [want]);
    }
    let mut command = bare.command(&["diagnose", "--format", "json", "-"]);
    command.stdin(Stdio::from(File::open(bare.work().join("run.zip")).unwrap()));
    assert_eq!(classes(&said(&mut command)), ["-:0_build.txt network-timeout", "-:1_lint.txt build-failure"]);
}

#[test]
fn what_cannot_be_read_does_not_stop_the_rest() {
    let bare = with(&[
        ("empty.log", b""),
        ("program.log", b"\x7fELF\x02\x01\x01\0"),
        ("broken.log.gz", &gzip(NETWORK.as_bytes())[..8]),
        ("bomb.gz", &gzip(&vec![b'a'; 80 << 20])),
        ("passed.log", PASSED.as_bytes()),
        ("nothing/picture.png", b"\x89PNG"),
    ]);
    let files = [
        "empty.log",
        "program.log",
        "broken.log.gz",
        "bomb.gz",
        "nothing",
        "no.log",
        "no*.log",
        "passed.log",
    ];
    let told = run(&bare, &files);
    assert_eq!(told.code, 3);
    assert_snapshot!(String::from_utf8(told.out).unwrap(), @"passed.log: no failure was found: it says that all went well");
    assert_snapshot!(told.err, @r"
    regreen: error: empty.log: it is empty
    regreen: error: program.log: it is no text but a program
    regreen: error: broken.log.gz: the packed log can't be read: unexpected end of file
    regreen: error: bomb.gz: it unpacks to more than 200 times its size
    regreen: error: nothing: there are no logs in it
    regreen: error: no.log: No such file or directory (os error 2)
    regreen: error: no*.log: no file is named like this
    ");
}

#[test]
fn exit_codes() {
    let bare = with(&[
        ("passed.log", PASSED.as_bytes()),
        ("code.log", CODE.as_bytes()),
        ("network.log", NETWORK.as_bytes()),
        ("certificate.log", b"curl: (60) SSL certificate problem: certificate has expired\n"),
    ]);
    for (files, want) in [
        (&["passed.log"][..], 0),
        (&["code.log"], 11),
        (&["certificate.log"], 17),
        (&["network.log"], 10),
        (&["code.log", "certificate.log"], 17),
        (&["code.log", "network.log", "certificate.log"], 10),
        (&["network.log", "missing.log"], 3),
    ] {
        assert_eq!(run(&bare, files).code, want, "{files:?}");
    }
}

#[test]
fn annotations_and_the_summary_of_a_github_job() {
    let bare = with(&[("job.log", NETWORK.as_bytes()), ("passed.log", PASSED.as_bytes())]);
    let summary = bare.work().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let mut command = bare.command(&["diagnose", "--format", "github", "job.log", "passed.log"]);
    let told = said(command.env("GITHUB_STEP_SUMMARY", &summary));
    let out = String::from_utf8(told.out).unwrap();
    assert_eq!(out.lines().count(), 1, "{out}");
    let start = "::warning title=infrastructure%3A network-timeout (npm-connection-lost)::job.log: line 4: ";
    assert!(out.starts_with(start), "{out}");
    let written = fs::read_to_string(&summary).unwrap();
    assert!(written.starts_with("before\n### `job.log`\n"), "{written}");
    assert!(written.contains("```text\n4:35: npm error code ECONNRESET\n```"), "{written}");
    assert!(written.ends_with("### `passed.log`\n\nno failure was found\n\n"), "{written}");
}

#[test]
fn sarif_is_one_document() {
    let bare = with(&[
        ("a job.log", NETWORK.as_bytes()),
        ("code.log", CODE.as_bytes()),
        ("passed.log", PASSED.as_bytes()),
    ]);
    let told = run(&bare, &["--format", "sarif", "a job.log", "code.log", "passed.log"]);
    let document: Value = serde_json::from_slice(&told.out).unwrap();
    let run = &document["runs"][0];
    assert_eq!(document["version"], "2.1.0");
    assert_eq!(run["artifacts"].as_array().unwrap().len(), 3);
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20job.log");
    assert_eq!((&place["region"]["startLine"], &place["region"]["startColumn"]), (&4.into(), &35.into()));
    assert_eq!(results[1]["level"], "error");
}

/// A log that tries to hide, reorder and forge what stands around its evidence.
#[test]
fn hostile_names_and_lines_are_shown_harmless() {
    let name = "evil\u{202e}gol.\u{1b}[2J.log";
    let hostile = "##[group]Run \u{1b}[2Jecho \u{202e}hi\n\
                   \u{202e}a.c:3:9: error: \u{2066}`</pre>``\u{1b}]0;pwned\u{7}\u{9b}31m ::error::forged\r\n\
                   ##[error]Process completed with exit code 1.\n";
    let bare = with(&[(name, hostile.as_bytes())]);
    for format in ["plain", "json", "github", "markdown", "sarif"] {
        let told = run(&bare, &["--format", format, name]);
        let out = String::from_utf8(told.out).unwrap();
        assert!(out.contains("forged"), "{format}: {out}");
        let hidden = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{2069}').contains(&c);
        let escaped = out.to_lowercase();
        assert!(!out.contains(hidden), "{format}: {out:?}");
        assert!(!escaped.contains("\\u001b") && !escaped.contains("\\u202e"), "{format}: {out}");
        assert!(!out.lines().any(|line| line.starts_with("::error::")), "{format}: {out}");
    }
}

#[test]
fn what_a_passing_run_prints_too_is_no_cause() {
    let passing = NETWORK.replace("##[error]Process completed with exit code 1.", "done");
    let bare = with(&[("green/1.log", passing.as_bytes()), ("red.log", NETWORK.as_bytes())]);
    assert_eq!(classes(&run(&bare, &["--format", "json", "red.log"])), ["red.log network-timeout"]);
    let beside = run(&bare, &["--baseline", "green", "red.log"]);
    let out = String::from_utf8(beside.out).unwrap();
    // What the words that are left read like is the model's; they are no longer of a network.
    assert!(matches!(beside.code, 11 | 12) && beside.err.is_empty(), "{out}{}", beside.err);
    let why = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(why.contains("but a passing run prints that line too"), "{out}");
    let failed = run(&bare, &["--baseline", "red.log", "red.log"]);
    assert_snapshot!(failed.err, @"regreen: warning: red.log: the baseline says that it failed; what it prints is left aside");
    for (arguments, code) in [(["--baseline", "-", "-"], 2), (["--baseline", "none.log", "red.log"], 3)] {
        let told = run(&bare, &arguments);
        assert_eq!((told.code, told.out.len()), (code, 0), "{}", told.err);
        assert!(told.err.contains("help: "), "{}", told.err);
    }
}
