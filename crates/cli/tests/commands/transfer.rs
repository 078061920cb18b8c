//! `regreen state export|import`: around a CI cache, through pipes, and with a file that somebody forged.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use insta::assert_snapshot;

use crate::{
    healed::healed,
    said::{Bare, on, tell},
    support::stage::{Stage, said},
};

/// `regreen` on the same checkout, on another machine.
fn elsewhere(stage: &Stage, arguments: &[&str]) -> Command {
    let mut command = stage.regreen(arguments);
    command.env("XDG_STATE_HOME", stage.base().join("other-state"));
    command
}

#[test]
fn what_one_machine_recorded_the_next_one_knows() {
    let (stage, id) = healed();
    let file = stage.base().join("cache/state.jsonl");
    let path = file.to_str().unwrap();
    assert_snapshot!(on(&stage, &["state", "export", path]), @r"
    exit code 0
    --- out
    exported to [BASE]/cache/state.jsonl, audit head [DIGEST]
    ");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let there = |arguments: &[&str]| tell(&mut elsewhere(&stage, arguments), stage.base());
    assert_snapshot!(there(&["state", "import", path]), @r"
    exit code 0
    --- out
    imported: 1 incident(s), 20 journal entries, 0 label(s), 1 breaker event(s), 0 pause(s), 0 accepted pattern(s); 0 of the file's rows were not taken
    this record goes on where the file ends
    ");
    assert_snapshot!(there(&["state", "import", path]), @r"
    exit code 0
    --- out
    all of it was on record already
    ");
    assert_eq!(there(&["incidents", "list"]), on(&stage, &["incidents", "list"]));
    let shown = there(&["incidents", "show", &id]);
    assert!(shown.contains("imported") && shown.contains("it can be read, not acted upon"), "{shown}");
    assert!(there(&["audit", "verify"]).starts_with("exit code 0\n"));
    // A stranger's incident makes nobody act.
    assert_snapshot!(there(&["rollback", &id]), @r"
    exit code 14
    --- err
    regreen: error: incident [INCIDENT A] was imported; it can be read, not acted upon
    ");
    assert_snapshot!(there(&["approve", &id]), @r"
    exit code 14
    --- err
    regreen: error: incident `[INCIDENT A]` was imported; it can be read, not acted upon
    ");
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.good);
}

#[test]
fn a_dash_is_standard_input_and_output() {
    let (stage, _) = healed();
    let exported = said(&mut stage.regreen(&["state", "export", "-"]));
    assert_eq!((exported.code, exported.err.as_str()), (0, ""));
    let file = stage.base().join("state.jsonl");
    fs::write(&file, &exported.out).unwrap();
    let mut import = elsewhere(&stage, &["state", "import", "-"]);
    let said = tell(import.stdin(File::open(&file).unwrap()), stage.base());
    assert!(said.starts_with("exit code 0\n--- out\nimported: 1 incident(s)"), "{said}");
}

#[test]
fn a_forged_file_is_refused_whole() {
    let (stage, _) = healed();
    let sound = String::from_utf8(said(&mut stage.regreen(&["state", "export", "-"])).out).unwrap();
    let before = on(&stage, &["audit", "verify"]);
    let lines: Vec<&str> = sound.lines().collect();
    let forgeries: [(&str, String); 7] = [
        ("another outcome", sound.replace("healed", "heeled")),
        ("another command", sound.replacen("fetch", "fetsch", 2)),
        ("cut short", lines[..lines.len() - 1].join("\n")),
        (
            "an entry less",
            lines.iter().enumerate().filter(|(i, _)| *i != 2).map(|(_, l)| *l).collect::<Vec<_>>().join("\n"),
        ),
        ("not ours at all", "{\"hello\":\"world\"}\n".to_owned()),
        ("empty", String::new()),
        ("deep", "[".repeat(100_000)),
    ];
    for (name, text) in forgeries {
        let file = stage.base().join("forged.jsonl");
        fs::write(&file, text).unwrap();
        let path = file.to_str().unwrap();
        for mut command in
            [stage.regreen(&["state", "import", path]), elsewhere(&stage, &["state", "import", path])]
        {
            let refused = said(&mut command);
            assert_eq!((refused.code, refused.out.as_slice()), (18, &b""[..]), "{name}: {}", refused.err);
            assert!(
                refused.err.contains("can't be imported") && refused.err.contains("help: "),
                "{name}: {}",
                refused.err
            );
        }
        assert_eq!(on(&stage, &["audit", "verify"]), before, "{name}");
        let none = said(&mut elsewhere(&stage, &["incidents", "list", "--format", "json"]));
        assert_eq!((none.code, none.out.as_slice()), (0, &b""[..]), "{name}");
    }
}

#[test]
fn a_file_that_can_not_be_read_or_written_is_named() {
    let bare = Bare::new();
    assert_snapshot!(bare.tell(&["state", "import", "no-such.jsonl"]), @r"
    exit code 3
    --- err
    regreen: error: no-such.jsonl: No such file or directory (os error 2)
      help: `regreen state export` writes such a file; the first job of a CI cache has none yet
    ");
    assert_snapshot!(bare.tell(&["state", "import", "."]), @r"
    exit code 3
    --- err
    regreen: error: .: is a directory
      help: `regreen state export` writes such a file; the first job of a CI cache has none yet
    ");
    let mut empty = bare.command(&["state", "import", "-"]);
    assert_snapshot!(tell(empty.stdin(Stdio::null()), bare.base()), @r"
    exit code 18
    --- err
    regreen: error: line 1 can't be imported: it is no exported state of regreen
      help: export again with `regreen state export`
    ");
    let (stage, _) = healed();
    assert_snapshot!(on(&stage, &["state", "export", "/dev/null/x"]), @r"
    exit code 6
    --- err
    regreen: error: /dev/null/x: File exists (os error 17)
    ");
}
