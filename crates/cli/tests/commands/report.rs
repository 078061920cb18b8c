//! `regreen report`: what many logs come to.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::{said::Bare, support::stage::said};

fn network(minute: u32) -> String {
    format!(
        "2024-05-01T12:00:00.0000000Z ##[group]Run npm ci\n2024-05-01T12:00:02.0000000Z npm error code ECONNRESET\n\
         2024-05-01T12:{minute:02}:00.0000000Z ##[error]Process completed with exit code 1.\n"
    )
}

fn folder() -> Bare {
    let bare = Bare::new();
    for (name, text) in [
        ("logs/a.log", network(4).as_str()),
        ("logs/b/b.log", &network(12)),
        ("logs/code.log", "gcc -c a.c\na.c:3:9: error: expected expression\nmake: *** [a.o] Error 1\n"),
        (
            "logs/certificate.log",
            "2024-05-01T12:00:00.0Z ##[group]Run make\n\
             2024-05-01T12:00:01.0Z curl: (60) SSL certificate problem: certificate has expired\n\
             2024-05-01T12:04:00.0Z ##[error]Process completed with exit code 60.\n",
        ),
        ("logs/passed.log", "Started by x\n+ make\nFinished: SUCCESS\n"),
        ("logs/empty.log", ""),
    ] {
        let path = bare.work().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    bare
}

#[test]
fn a_folder_of_logs() {
    let bare = folder();
    // What a network failure would get is for the model's confidence to say; these are the same with every model.
    let files = ["logs/c*.log", "logs/passed.log", "logs/empty.log", "none"];
    let told = said(&mut bare.command(&[&["report"][..], &files].concat()));
    assert_eq!((told.code, told.err.as_str()), (3, ""));
    assert_snapshot!(String::from_utf8(told.out).unwrap(), @r"
    3 logs: 2 failed, 1 passed; 2 could not be read

    What Regreen would have done about 2 failures
      heal             0    0 %            by a playbook, once a probe confirms it
      suggest          1   50 %   4.0 min  the infrastructure: advice for a person
      leave alone      1   50 %            the project's own code, or not diagnosed

    Causes by class
      class           logs   heal  suggest  leave alone  time
      trust-failure      1      0        1            0  4.0 min
      build-failure      1      0        0            1

    Causes, the most frequent first
          1 × a program does not trust a server
              trust-failure; suggest; 4.0 min
              logs/certificate.log:2:24
              | curl: (60) SSL certificate problem: certificate has expired
          1 × the C or C++ compiler rejects the code
              build-failure; leave alone
              logs/code.log:2:1
              | a.c:3:9: error: expected expression

    Time is from the first to the last time stamp of each log;
    1 of the 2 failed ones have stamps.

    Could not be read
      none: No such file or directory (os error 2)
      logs/empty.log: it is empty
    ");
}

#[test]
fn pages_and_objects() {
    let bare = folder();
    let run = |format: &str, arguments: &[&str]| {
        let told = said(&mut bare.command(&[&["report", "--format", format], arguments].concat()));
        (told.code, String::from_utf8(told.out).unwrap())
    };
    let (ended, json) = run("json", &["logs", "nothing"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((ended, &json["logs"]["failed"], &json["logs"]["unreadable"]), (3, &4.into(), &2.into()));
    assert_eq!(json["causes"][0]["pattern"], "npm-connection-lost");
    assert_eq!(json["causes"][0]["logs"]["minutes"], 16.0);
    let code = json["causes"].as_array().unwrap().iter().find(|c| c["class"] == "build-failure").unwrap();
    assert_eq!((&code["logs"]["minutes"], &code["would"]["none"]), (&Value::Null, &1.into()));
    let (code, html) = run("html", &["logs/a.log"]);
    assert_eq!(code, 0);
    assert!(html.starts_with("<!doctype html>") && html.contains("href=\"./logs/a.log#L2\""), "{html}");
    let (code, markdown) = run("markdown", &["logs/*.log"]);
    assert_eq!(code, 3);
    assert!(markdown.contains("](./logs/a.log#L2)"), "{markdown}");
}

#[test]
fn help() {
    assert_snapshot!(Bare::new().tell(&["report", "--help"]), @r"
    exit code 0
    --- out
    Say what Regreen would have done about a folder of logs: causes, counts, time

    Usage: regreen report [OPTIONS] [FOLDER]...

    Arguments:
      [FOLDER]...
              Logs to read: folders, files, patterns such as 'logs/*.log'; `-` is standard input

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --github <OWNER/REPO>
              Read the failed jobs of a repository's workflow runs from GitHub instead; nothing is
              changed there

          --gitlab <GROUP/PROJECT>
              Read the failed jobs of a project's pipelines from GitLab instead; nothing is changed
              there

          --since <TIME>
              How far back, with --github or --gitlab
              
              [default: 30d]

          --api-url <URL>
              Address of the API of a GitHub Enterprise server, e.g. https://HOST/api/v3
              
              [env: GITHUB_API_URL=]
              [default: https://api.github.com]

          --gitlab-url <URL>
              Address of a GitLab of one's own, e.g. https://HOST
              
              [env: CI_SERVER_URL=]
              [default: https://gitlab.com]

          --format <FORMAT>
              How to say it

              Possible values:
              - plain:    For people
              - markdown: Markdown, for a comment or the summary of a job
              - html:     A page of its own, for a browser
              - json:     For programs: one object
              
              [default: plain]

          --patterns <DIR>
              A folder of your own patterns, beside the built-in ones and those in the repository's
              .regreen/patterns (default: `patterns` in the operator's configuration)
              
              [env: REGREEN_PATTERNS=]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen report logs/
      regreen report --format html runs/ 'older/**/*.zip' > report.html
      regreen report --format json logs/ | jq '.causes[0]'
      regreen report --github OWNER/REPO --since 30d
      regreen report --gitlab GROUP/PROJECT --since 30d

    Every log is diagnosed as by `regreen diagnose`, and nothing is healed. Times are from the
    first to the last time stamp of each log.

    --github takes the token from GITHUB_TOKEN or GH_TOKEN (it needs to read actions; none is needed
    for a public repository, but then 60 calls an hour are all there is), --gitlab from GITLAB_TOKEN
    (scope `read_api`). A fifth of the host's limit is left to others. What was read is kept, masked,
    in the state folder, and not fetched again: after Ctrl-C or a limit, the same command goes on.

    Exit code: 0 the report is of all that was named, 3 something of it could not be read, 5 the host
    did not let it all be read now; whatever the causes are.
    ");
}
