//! `serve` and `worker` as docs/install.md says to start them: its blocks are typed as they stand, with stand-ins of what starts services,
//! and the real program is started with what these were given.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde_json::Value;

use super::{
    NAME, Serving, Stage,
    killed::schema,
    standin::{program, top},
};

/// Blocks of docs/install.md that name this.
fn block(named: &str) -> String {
    let page = fs::read_to_string(top().join("docs/install.md")).unwrap();
    let (_, section) = page.split_once("\n## As a service\n").unwrap();
    let blocks = section.split("\n## ").next().unwrap().split("```sh\n").skip(1);
    let found: String =
        blocks.map(|text| text.split("```").next().unwrap()).filter(|text| text.contains(named)).collect();
    assert!(!found.is_empty(), "{section}");
    found
}

/// A shell types it, with these programs before all others.
fn typed(stage: &Stage, text: &str, programs: &[(&str, String)]) {
    let mut bash = Command::new("bash");
    bash.args(["-euc", text]).env_clear().current_dir(stage.path("empty"));
    for (name, script) in programs {
        bash.env("PATH", program(stage, name, script));
    }
    let ended = bash.output().unwrap();
    assert!(ended.status.success(), "{text}\n{ended:?}");
}

/// What a service is started with.
#[derive(Debug)]
struct Service {
    args: Vec<String>,
    env: BTreeMap<String, String>,
}

impl Service {
    fn command(&self, stage: &Stage) -> Command {
        let mut args = self.args.clone();
        // Tests have no port for themselves.
        let at = args.iter().position(|arg| arg == "--listen").map(|at| at..at + 2);
        at.into_iter().for_each(|at| drop(args.drain(at)));
        if args[0] == "serve" {
            args.extend(["--listen", "127.0.0.1:0"].map(str::to_owned));
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_regreen"));
        command.args(args).args(["--github-api", &stage.host.url()]).env_clear().envs(&self.env);
        command.current_dir(stage.path("empty"));
        command
    }

    /// How it ends without this variable, which it says.
    fn ends_without(&self, stage: &Stage, variable: &str) -> Option<i32> {
        let ended = self.command(stage).env_remove(variable).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(said.contains(variable), "{said}");
        ended.status.code()
    }
}

/// The service of a unit, whose /etc and /var/lib lie below the stage.
fn unit(stage: &Stage, name: &str) -> Service {
    let text = fs::read_to_string(top().join(format!("packaging/systemd/{name}.service"))).unwrap();
    let here = |path: &str| {
        let path = path.strip_prefix('/').unwrap_or(path);
        stage.path(path).display().to_string()
    };
    let values = |key: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned).collect()
    };
    let mut env = BTreeMap::new();
    for pair in values("Environment").iter().flat_map(|line| line.split(' ')) {
        let (name, path) = pair.split_once('=').unwrap();
        env.insert(name.to_owned(), here(path));
    }
    for file in values("EnvironmentFile") {
        let file = here(file.trim_start_matches('-'));
        let lines = fs::read_to_string(file).unwrap();
        let pairs = lines.lines().filter(|line| !line.starts_with('#')).filter_map(|l| l.split_once('='));
        env.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    let [start] = &values("ExecStart")[..] else { panic!("{text}") };
    let words = start.strip_prefix("/usr/bin/regreen ").unwrap().split(' ');
    let args = words.flat_map(|word| match word.strip_prefix('$') {
        Some(name) => env.get(name).map_or("", |value| value).split_whitespace().map(str::to_owned).collect(),
        None => vec![word.to_owned()],
    });
    Service { args: args.collect(), env: env.clone() }
}

/// The service of a pod of the chart, with what the chart has where nothing is said.
fn pod(stage: &Stage, component: &str, secret: &Path) -> Service {
    let chart = top().join("packaging/helm/regreen");
    let values = fs::read_to_string(chart.join("values.yaml")).unwrap();
    let values: Value = serde_norway::from_str(&values).unwrap();
    assert_eq!(
        (&values["serve"]["work"], &values["serve"]["args"], &values["worker"]["args"]),
        (&false.into(), &Value::Array(Vec::new()), &Value::Array(Vec::new()))
    );
    let template = fs::read_to_string(chart.join(format!("templates/{component}.yaml"))).unwrap();
    let args = template.lines().find(|line| line.contains("$args := concat (list")).unwrap();
    let args = args.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    let config = stage.path("chart.toml");
    fs::write(&config, values["config"].as_str().unwrap()).unwrap();
    let mut env = BTreeMap::from([
        ("HOME".to_owned(), stage.path("tmp").display().to_string()),
        ("REGREEN_CONFIG".to_owned(), config.display().to_string()),
    ]);
    for file in fs::read_dir(secret).unwrap().map(Result::unwrap) {
        let name = file.file_name().into_string().unwrap();
        env.insert(name, fs::read_to_string(file.path()).unwrap());
    }
    Service { args, env }
}

/// What people fill in.
const FILLED_IN: &str = "sed -i -e \"s/^REGREEN_GITHUB_WEBHOOK_SECRET=$/&$(openssl rand -hex 32)/\" \
                -e 's/^REGREEN_GITHUB_TOKEN=$/&ghp_test/' \"$1\"
         ! grep -q '^[A-Z_]*=$' \"$1\"";

#[test]
fn systemd_starts_it_as_the_manual_says() {
    let mut stage = Stage::new("observe");
    let text = block("systemctl")
        .replace("/usr/share/doc/regreen/examples/", &format!("{}/", stage.path("examples").display()))
        .replace("/etc/", &format!("{}/", stage.path("etc").display()));
    fs::create_dir(stage.path("examples")).unwrap();
    let example = top().join("packaging/systemd/serve.env.example");
    fs::copy(example, stage.path("examples/serve.env")).unwrap();
    let enabled = stage.path("enabled");
    let systemctl = format!("[ \"$1 $2\" = 'enable --now' ] && echo \"$3\" >> {}", enabled.display());
    typed(&stage, &text, &[("systemctl", systemctl), ("editor", FILLED_IN.to_owned())]);
    let enabled = fs::read_to_string(enabled).unwrap();
    assert_eq!(enabled.lines().collect::<Vec<_>>(), ["regreen-serve", "regreen-worker"]);

    let [serve, worker] = ["regreen-serve", "regreen-worker"].map(|name| unit(&stage, name));
    assert_eq!(serve.ends_without(&stage, "REGREEN_GITHUB_WEBHOOK_SECRET"), Some(2));
    assert_eq!(worker.ends_without(&stage, "REGREEN_GITHUB_TOKEN"), Some(2));
    stage.ledger = stage.path("var/lib/regreen/fleet/ledger.db").display().to_string();
    let serving = Serving::started(serve.command(&stage));
    let secret = &serve.env["REGREEN_GITHUB_WEBHOOK_SECRET"];
    assert_eq!(serving.post("one", &stage.webhook(), secret), "202");
    stage.until_outcome("suggested");
    let (code, lines) = serving.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    // Another run, and nobody but the worker.
    let (run, _) = stage.host.world().add_failed(NAME, super::NETWORK);
    let working = Serving::working(worker.command(&stage));
    let listed = stage.regreen(&["dispatch", NAME, &run.to_string()]).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    stage.until("it was never looked at", |stage| {
        stage.incidents().iter().filter(|one| one["outcome"] == "suggested").count() == 2
    });
    working.kill();
}

#[test]
fn the_chart_starts_it_with_the_secret_of_the_manual() {
    let mut stage = Stage::new("observe");
    if let Ok(server) = std::env::var("REGREEN_TEST_POSTGRES") {
        stage.ledger = schema(&server, 0);
    }
    // As an editor leaves files.
    for (name, text) in [("ledger", stage.ledger.as_str()), ("token", "ghp_test")] {
        fs::write(stage.path("empty").join(name), format!("{text}\n")).unwrap();
    }
    let (secrets, installed) = (stage.path("secrets"), stage.path("installed"));
    let kubectl = format!(
        "[ \"$1 $2 $3\" = 'create secret generic' ] && mkdir -p \"{0}/$4\" && into=\"{0}/$4\" && shift 4
         for word; do
           case \"$word\" in
             --from-file=*=*) word=\"${{word#--from-file=}}\"; cp \"${{word#*=}}\" \"$into/${{word%%=*}}\" ;;
             *) exit 1 ;;
           esac
         done",
        secrets.display()
    );
    let helm = format!(
        "[ \"$1 $3 $4\" = 'install packaging/helm/regreen --set' ] && echo \"$5\" > {}",
        installed.display()
    );
    typed(&stage, &block("kubectl"), &[("kubectl", kubectl), ("helm", helm)]);
    let installed = fs::read_to_string(installed).unwrap();
    let secret = secrets.join(installed.trim_end().strip_prefix("existingSecret=").unwrap());

    let [serve, worker] = ["serve", "worker"].map(|name| pod(&stage, name, &secret));
    assert_eq!(serve.ends_without(&stage, "REGREEN_GITHUB_WEBHOOK_SECRET"), Some(2));
    assert_eq!(worker.ends_without(&stage, "REGREEN_GITHUB_TOKEN"), Some(2));
    let serving = Serving::started(serve.command(&stage));
    let working = Serving::working(worker.command(&stage));
    let hook = serve.env["REGREEN_GITHUB_WEBHOOK_SECRET"].trim();
    assert_eq!(serving.post("one", &stage.webhook(), hook), "202");
    stage.until_outcome("suggested");
    let (code, lines) = serving.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    working.kill();
    // Whoever reads the chart alone is told the same.
    for file in ["values.yaml", "templates/NOTES.txt"] {
        let text = fs::read_to_string(top().join("packaging/helm/regreen").join(file)).unwrap();
        for name in serve.env.keys().filter(|name| name.starts_with("REGREEN_") && *name != "REGREEN_CONFIG")
        {
            assert!(text.contains(name), "{file}: {name}");
        }
    }
}
