//! The action: its scripts by a real bash, with the real program, a really broken project, and a release that is fetched.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    thread::spawn,
    time::Instant,
};

use regreen_lab::{Lab, PackageManager, Project, damage::LockfileDamage};
use serde_json::{Map, Value, json};

use super::{
    PATIENCE, Stage,
    runner::{Ran, Runner},
    standin::{Release, another, top},
};

/// The action on a runner, with its inputs as a workflow would give them.
pub struct Action {
    pub runner: Runner,
    /// What action.yml has where nothing is given.
    defaults: Map<String, Value>,
}

impl Action {
    pub fn new(stage: &Stage) -> Action {
        let folder = stage.path("runner");
        fs::create_dir_all(&folder).unwrap();
        let text = fs::read_to_string(top().join("action.yml")).unwrap();
        let action: Value = serde_norway::from_str(&text).unwrap();
        let default = |(name, input): (&String, &Value)| (name.clone(), input["default"].clone());
        let defaults = action["inputs"].as_object().unwrap().iter().map(default).collect();
        let mut action = Action { runner: Runner::of_action(&folder, &text), defaults };
        action.env("HOME", &stage.path("home"));
        action.runner.env.insert("PATH".to_owned(), std::env::var("PATH").unwrap());
        action
    }

    fn env(&mut self, name: &str, value: &Path) {
        self.runner.env.insert(name.to_owned(), value.display().to_string());
    }

    /// Runs it with the program of the tests, unless `with` says otherwise.
    pub fn run(&mut self, with: &[(&str, &str)]) -> Ran {
        let mut inputs = self.defaults.clone();
        for (name, value) in [("binary", env!("CARGO_BIN_EXE_regreen"))].iter().chain(with) {
            assert!(inputs.contains_key(*name), "action.yml has no input {name}");
            inputs.insert((*name).to_owned(), Value::from(*value));
        }
        self.runner.run("push", &json!({ "inputs": inputs }), |_, _| {})
    }
}

fn outputs(ran: &Ran) -> [&str; 5] {
    ["verdict", "class", "outcome", "healed", "confidence"]
        .map(|name| ran.outputs["action"][name].as_str().unwrap())
}

#[test]
fn it_tells_what_came_of_a_command() {
    let stage = Stage::new("observe");
    let mut action = Action::new(&stage);
    let ran = action.run(&[("run", "true")]);
    assert_eq!(ran.results["action"], "success", "{ran:#?}");
    assert_eq!(
        (&ran.outputs["action"]["healed"], &ran.outputs["action"]["verdict"]),
        (&json!("false"), &json!(""))
    );
    let script = "echo 'error[E0425]: cannot find value `x` in this scope'; echo ' --> src/a.rs:3:1'; \
                  echo 'error: could not compile `a` (lib) due to 1 previous error'; exit 7";
    let ran = action.run(&[("run", script)]);
    assert_eq!(ran.results["action"], "failure", "{ran:#?}");
    let outputs = &ran.outputs["action"];
    assert_eq!(
        (&outputs["verdict"], &outputs["outcome"]),
        (&json!("code"), &json!("left-alone")),
        "{ran:#?}"
    );
    assert!(ran.said["action"].contains("::error title="), "{}", ran.said["action"]);
    assert!(ran.summary.contains("outcome: `left-alone`"), "{}", ran.summary);
    assert!(ran.workspaces["action"].exists() && !outputs["incident"].as_str().unwrap().is_empty());
    // What it learnt is carried on, and a hostile mode reaches no shell.
    let ran = action.run(&[("run", "true"), ("mode", "auto; touch planted; $(touch planted)")]);
    assert_eq!(ran.results["action"], "failure");
    assert!(!ran.workspaces["action"].join("planted").exists());
    assert!(ran.said["action"].contains("imported: 1 incident(s)"), "{}", ran.said["action"]);
}

/// A server that is asked, and says nothing of use; what it was asked, in order.
fn silent_server() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, heard) = std::sync::mpsc::channel();
    spawn(move || {
        for stream in listener.incoming().flatten() {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let _nobody = tell.send(head.join("\n"));
            let answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _gone = (&stream).write_all(answer.as_bytes());
        }
    });
    (address, heard)
}

#[test]
fn it_heals_a_broken_project_within_what_its_inputs_say() {
    let stage = Stage::new("observe");
    let lab = Lab::start().unwrap();
    let folder = stage.path("lab");
    fs::create_dir_all(&folder).unwrap();
    let project = Project::create(PackageManager::Cargo, &folder, &lab).unwrap();
    let good = fs::read(project.lockfile()).unwrap();
    LockfileDamage::Truncated.apply(&project).unwrap();
    let broken = fs::read(project.lockfile()).unwrap();
    let mut action = Action::new(&stage);
    for (name, value) in project.env() {
        action.runner.env.insert((*name).to_owned(), value.to_str().unwrap().to_owned());
    }
    action.runner.env.insert("CI".to_owned(), "true".to_owned());
    let root = project.root().display().to_string();
    let command = project.install_argv().join(" ");
    let common = [("run", command.as_str()), ("working-directory", &root)];

    // The operator's configuration holds it back, whatever else is said.
    let ran = action.run(&[&common[..], &[("operator", "mode = \"suggest\"")]].concat());
    assert_eq!((ran.results["action"].as_str(), outputs(&ran)[2]), ("failure", "suggested"), "{ran:#?}");
    assert_eq!(fs::read(project.lockfile()).unwrap(), broken);
    let ran = action.run(&[&common[..], &[("mode", "observe")]].concat());
    assert_eq!((ran.results["action"].as_str(), outputs(&ran)[3]), ("failure", "false"), "{ran:#?}");
    assert_eq!(fs::read(project.lockfile()).unwrap(), broken);

    // A server is asked first; where it is of no use, it goes on alone.
    let (address, heard) = silent_server();
    let token = "a-token-of-this-test";
    let ran = action.run(&[&common[..], &[("server", &address), ("server-token", token)]].concat());
    assert_eq!(ran.results["action"], "success", "{ran:#?}");
    let [verdict, class, outcome, healed, confidence] = outputs(&ran);
    assert_eq!(
        (verdict, class, outcome, healed),
        ("infrastructure", "lockfile-corruption", "healed", "true"),
        "{ran:#?}"
    );
    assert!(confidence.parse::<f64>().unwrap() > 0.85, "{confidence}");
    assert!(!ran.outputs["action"]["incident"].as_str().unwrap().is_empty());
    assert_eq!(fs::read(project.lockfile()).unwrap(), good);
    assert!(ran.summary.contains("outcome: `healed`"), "{}", ran.summary);
    let asked = heard.recv_timeout(PATIENCE).unwrap();
    assert!(asked.starts_with("POST /api/v1/jobs/ask "), "{asked}");
    assert!(asked.to_lowercase().contains(&format!("authorization: bearer {token}")), "{asked}");
    assert!(!ran.said["action"].contains(token), "{}", ran.said["action"]);
    // A healed command is green by itself the next time.
    let ran = action.run(&common);
    assert_eq!((ran.results["action"].as_str(), outputs(&ran)[3]), ("success", "false"), "{ran:#?}");
}

#[test]
fn it_ends_a_command_that_takes_too_long() {
    let stage = Stage::new("observe");
    let mut action = Action::new(&stage);
    let begun = Instant::now();
    for (input, words) in [("timeout", "sleep 100"), ("idle-timeout", "echo x; sleep 100")] {
        let ran = action.run(&[("run", words), (input, "300ms"), ("state", "false")]);
        assert_eq!(ran.results["action"], "failure", "{ran:#?}");
        let said = &ran.said["action"];
        assert!(said.contains("it was ended; what was running then") && said.contains("sleep 100"), "{said}");
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[test]
fn a_release_is_fetched_and_run_only_if_it_is_the_one_that_was_meant() {
    let stage = Stage::new("observe");
    let release = Release::of(&stage);
    let mut action = Action::new(&stage);
    action.runner.env.insert("PATH".to_owned(), release.path.clone());
    let version = action.defaults["version"].as_str().unwrap().to_owned();
    let base = format!("https://github.com/regreen/regreen/releases/download/v{version}");
    let program = format!("{base}/{}", release.program);
    let sums = format!("{base}/SHA256SUMS");
    let right = release.sha256(release.program);
    for (listed, given, ends, asked) in [
        (right.clone(), String::new(), "success", vec![&program, &sums]),
        (another(&right), String::new(), "failure", vec![&program, &sums]),
        // Where one is given nobody else's list counts.
        (another(&right), right.clone(), "success", vec![&program]),
        (right.clone(), another(&right), "failure", vec![&program]),
    ] {
        release.sums(&listed);
        let with = [("run", "touch ran"), ("binary", ""), ("sha256", &given), ("state", "false")];
        let ran = action.run(&with);
        assert_eq!(ran.results["action"], ends, "{listed} {given} {ran:#?}");
        assert_eq!(release.asked().iter().collect::<Vec<_>>(), asked);
        let ran_it = ran.workspaces["action"].join("ran").exists();
        assert_eq!(ran_it, ends == "success", "{ran:#?}");
        assert!(!release.unpacked(), "what was fetched is the program");
    }
    // One of which the list does not speak, and no version at all.
    release.sums("");
    let ran = action.run(&[("run", "touch ran"), ("binary", ""), ("state", "false")]);
    assert_eq!(ran.results["action"], "failure", "{ran:#?}");
    assert!(ran.said["action"].contains("::error title=Regreen::"), "{ran:#?}");
    let _asked = release.asked();
    let hostile = [("run", "true"), ("binary", ""), ("version", "1/../../x"), ("state", "false")];
    let ran = action.run(&hostile);
    assert!(ran.said["action"].contains("::error::version is that of a release"), "{ran:#?}");
    assert_eq!((ran.results["action"].as_str(), release.asked().len()), ("failure", 0));
}

#[test]
fn what_is_a_word_of_the_shells_own_is_a_script() {
    let stage = Stage::new("observe");
    let mut action = Action::new(&stage);
    fs::write(stage.path("x.sh"), "touch sourced\n").unwrap();
    let sourced = format!("source {}", stage.path("x.sh").display());
    for words in [sourced.as_str(), "cd /", "export A=b", "time true", ". ../../../x.sh", "  cd /"] {
        let ran = action.run(&[("run", words), ("state", "false")]);
        assert_eq!(ran.results["action"], "success", "{words}: {ran:#?}");
        assert_eq!(ran.workspaces["action"].join("sourced").exists(), words.contains("x.sh"), "{words}");
    }
    // What is a program stays one, which can be repeated; what is nowhere is told so.
    let ran = action.run(&[("run", "no-such-program --x"), ("state", "false")]);
    assert_eq!(ran.results["action"], "failure", "{ran:#?}");
    assert!(ran.said["action"].contains("no-such-program"), "{ran:#?}");
}

#[test]
fn whoever_reads_the_inputs_is_told_what_pins_the_program() {
    let text = fs::read_to_string(top().join("action.yml")).unwrap();
    let action: Value = serde_norway::from_str(&text).unwrap();
    let input = action["inputs"]["sha256"]["description"].as_str().unwrap();
    let page = fs::read_to_string(top().join("docs/github-workflow.md")).unwrap();
    let row = page.lines().find(|line| line.starts_with("| `sha256` |")).unwrap();
    for said in [input, row] {
        assert!(said.contains("a pinned `uses:`") && said.to_lowercase().contains("without it"), "{said}");
    }
}
