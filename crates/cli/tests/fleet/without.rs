//! Where Regreen itself can't be had, at any CI system: a warning says so, the command runs without it, and its exit code stands.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output},
};

use serde_json::json;

use super::{
    Stage,
    action::Action,
    elsewhere::{Job, System, component},
    standin::{Release, program, top},
};

const DARWIN: &str = "case \"$1\" in -s) echo Darwin ;; -m) echo x86_64 ;; *) echo Darwin x86_64 ;; esac";
/// No network.
const SILENT: &str = "exit 7";

/// What goes wrong.
type Breaks<'a> = &'a dyn Fn();

/// A file that is a program, and starts nowhere.
fn broken(stage: &Stage) -> String {
    let file = stage.path("broken");
    fs::write(&file, "#!/nowhere\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file.display().to_string()
}

#[test]
fn the_action_runs_the_command_as_it_would_be_without_it() {
    let stage = Stage::new("observe");
    let release = Release::of(&stage);
    let mut action = Action::new(&stage);
    action.runner.env.insert("PATH".to_owned(), release.path.clone());
    action.runner.env.insert("TOP".to_owned(), stage.path("empty").display().to_string());
    let (gone, broken) = (stage.path("gone").display().to_string(), broken(&stage));
    // What is given, what is broken, why, and how much was asked for.
    let nothing = || {};
    let cases: [(&str, &str, Breaks<'_>, &str, usize); 6] = [
        ("version", "9.9.9", &nothing, "could not be fetched", 1),
        ("binary", &gone, &nothing, "does not start", 0),
        ("binary", &broken, &nothing, "does not start", 0),
        ("binary", "", &|| release.lose("SHA256SUMS"), "SHA256SUMS could not be fetched", 2),
        ("binary", "", &|| drop(program(&stage, "uname", DARWIN)), "for Darwin on x86_64", 0),
        (
            "binary",
            "",
            &|| {
                fs::remove_file(stage.path("bin/uname")).unwrap();
                program(&stage, "curl", SILENT);
            },
            "could not be fetched",
            0,
        ),
    ];
    for (input, value, breaks, why, asked) in cases {
        breaks();
        for (run, ends) in [("touch ran", "success"), ("touch ran; exit 7", "failure")] {
            let ran = action.run(&[("binary", ""), (input, value), ("run", run), ("mode", "auto")]);
            assert_eq!(ran.results["action"], ends, "{value} {ran:#?}");
            assert!(ran.workspaces["action"].join("ran").exists(), "{ran:#?}");
            let said = &ran.said["action"];
            let warning = said.lines().find(|line| line.starts_with("::warning title=Regreen::"));
            assert!(warning.is_some_and(|line| line.contains(why)), "{why}: {said}");
            assert!(!said.contains("::error") && !said.contains("the state could not be kept"), "{said}");
            let outputs = &ran.outputs["action"];
            let of = |name: &str| outputs[name].clone();
            assert_eq!((of("outcome"), of("healed")), (json!("not-diagnosed"), json!("false")));
            for name in ["verdict", "class", "confidence", "incident"] {
                assert_eq!(of(name), json!(""), "{name}");
            }
            assert_eq!(release.asked().len(), asked, "{value}");
        }
    }
}

#[test]
fn what_the_script_puts_there_runs_commands_as_they_are() {
    let stage = Stage::new("observe");
    let release = Release::of(&stage);
    let right = release.sha256(&release.archive);
    let installed = |folder: &str, version: &str| -> Output {
        let mut sh = Command::new("sh");
        sh.arg(top().canonicalize().unwrap().join("integrations/install.sh")).arg(folder);
        sh.env_clear().env("PATH", &release.path).current_dir(stage.path("empty"));
        sh.env("REGREEN_VERSION", version).env("REGREEN_SHA256", &right).output().unwrap()
    };
    let version = env!("CARGO_PKG_VERSION");
    let nothing = || {};
    let cases: [(&str, Breaks<'_>, &str, &str); 3] = [
        ("no-release", &nothing, "9.9.9", "could not be fetched"),
        ("no-platform", &|| drop(program(&stage, "uname", DARWIN)), version, "for Darwin"),
        (
            "no-network",
            &|| {
                fs::remove_file(stage.path("bin/uname")).unwrap();
                program(&stage, "curl", SILENT);
            },
            version,
            "could not be fetched",
        ),
    ];
    for (folder, breaks, version, why) in cases {
        breaks();
        let ended = installed(folder, version);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success() && said.contains("warning") && said.contains(why), "{ended:?}");
        let regreen = |args: &[&str]| {
            let program = stage.path("empty").join(folder).join("regreen");
            let ended = Command::new(program).args(args).output().unwrap();
            (ended.status.code(), String::from_utf8(ended.stdout).unwrap())
        };
        let shown = ["run", "--mode", "auto", "--", "printf", "%s.", "a b", "--", "*"];
        assert_eq!(regreen(&shown), (Some(0), "a b.--.*.".to_owned()));
        assert_eq!(regreen(&["run", "--", "sh", "-c", "exit 7"]).0, Some(7));
        // Nobody is told that all is well.
        for args in
            [&["state", "import", "x"][..], &["lockfile", "check"], &["run", "true"], &["run", "--"], &[]]
        {
            assert_eq!(regreen(args).0, Some(5), "{args:?}");
        }
    }
}

#[test]
fn circleci_azure_and_buildkite_run_the_command_as_it_is() {
    let stage = Stage::new("observe");
    let release = Release::of(&stage);
    program(&stage, "curl", SILENT);
    let annotated = stage.path("annotated");
    program(&stage, "buildkite-agent", &format!("echo \"$*\" >> {}", annotated.display()));
    let sha256 = release.sha256(&release.archive);
    for (npm, code) in [("exit 7", 7), ("touch npm-ran", 0)] {
        let path = program(&stage, "npm", npm);
        for system in System::all() {
            let (ended, said) = system.run(&stage, "home", &path, &sha256);
            assert_eq!(ended, Some(code), "{}: {said}", system.name);
            assert!(said.contains("commands run without it"), "{}: {said}", system.name);
            assert_eq!(said.contains("##vso[task.logissue type=warning]"), system.name == "azure", "{said}");
            assert_eq!(stage.path(system.name).join("npm-ran").exists(), code == 0, "{}", system.name);
            // Each on a machine of its own.
            fs::remove_dir_all(stage.path(system.name)).unwrap();
        }
    }
    let annotated = fs::read_to_string(annotated).unwrap();
    assert!(annotated.starts_with("annotate --style warning"), "{annotated}");
}

#[test]
fn gitlabs_jobs_run_the_command_as_it_is_and_its_own_fails() {
    let job = Job::new();
    let path = program(&job.stage, "curl", SILENT);
    program(&job.stage, "cargo", "exit 101");
    let broken = broken(&job.stage);
    for text in [job.written(), component(&"0".repeat(64))] {
        for binary in ["", "/nowhere/regreen", &broken] {
            let env = [("PATH", path.as_str()), ("REGREEN_BINARY", binary)];
            for (says, code) in [("regreen run -- sh -c 'exit 7'", 7), ("regreen run --mode auto -- true", 0)]
            {
                let ended = job.extended(&text, says, &env);
                assert_eq!(ended.status.code(), Some(code), "{ended:?}");
                let said = String::from_utf8_lossy(&ended.stderr);
                assert!(said.contains("warning: it can't be had here"), "{said}");
            }
            let ended = job.run(&text, &env);
            assert_eq!(ended.status.code(), Some(5), "{ended:?}");
        }
    }
    assert!(
        fs::read_to_string(broken).unwrap().starts_with("#!/nowhere"),
        "what is somebody else's is left alone"
    );
    assert!(job.host.world().calls.is_empty());
    // What it sets up takes nothing from the job's own files.
    let ended = job.extended(&job.written(), "umask", &[("PATH", path.as_str())]);
    let usual = Command::new("sh").args(["-c", "umask"]).output().unwrap();
    assert_eq!(ended.stdout, usual.stdout, "{ended:?}");
}
