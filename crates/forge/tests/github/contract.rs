//! Both sides against GitHub's own description: every call of the client goes through Prism, a proxy that validates
//! requests and answers by the official OpenAPI document. `scripts/test` installs both below `target/tools`.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use regreen_forge::{Change, Check, CheckState, Credential, FileChange, Forge, GitHub, IssueText};
use regreen_lab::forge;

use crate::{NAME, diagnosed, job_ref, marker, options, repository, run_ref};

struct Prism {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    url: String,
}

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools")
}

impl Prism {
    fn start(upstream: &str) -> Prism {
        let (program, document) = (tools().join("prism/bin/prism"), tools().join("github-openapi/api.json"));
        assert!(
            program.exists() && document.exists(),
            "Prism and GitHub's OpenAPI are not there: run scripts/test once"
        );
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut child = Command::new(program)
            .arg("proxy")
            .arg(document)
            .args([upstream, "--port", &free.port().to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let (into, out) = (Arc::clone(&said), child.stdout.take().unwrap());
        let (up, is_up) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if line.contains("Prism is listening") {
                    let _gone = up.send(());
                }
                into.lock().unwrap().push(line);
            }
        });
        is_up.recv_timeout(Duration::from_secs(60)).expect("Prism did not start");
        Prism { child, said, url: format!("http://{free}") }
    }

    /// What it complained about.
    fn complaints(&self) -> Vec<String> {
        let words = ["iolation", "NO_PATH_MATCHED", "NO_METHOD_MATCHED", "Unable to", "\u{2716}"];
        // The description gives the range of times in which runs were made the format of one time.
        let known = "request.query.created Request query parameter created must match format \"date-time\"";
        let complains =
            |line: &&String| !line.contains(known) && words.iter().any(|word| line.contains(word));
        self.said.lock().unwrap().iter().filter(complains).cloned().collect()
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Everything once, but the two logs: Prism follows their redirect itself, with the credential, which is what no client may do; and
/// CODEOWNERS: the slash in `.github/CODEOWNERS` fits no template of a path in OpenAPI.
async fn everything(host: &forge::GitHub, client: &GitHub) {
    let repository = repository();
    let (run, job) = host.world().add_failed(NAME, b"npm error code EINTEGRITY\n");
    let since = SystemTime::now() - Duration::from_secs(86_400);
    assert_eq!(client.failed_runs_since(&repository, since, None).await.unwrap().runs.len(), 1);
    client.run(&run_ref(run)).await.unwrap();
    client.jobs(&run_ref(run), 1).await.unwrap();
    client.job(&job_ref(job)).await.unwrap();
    client.annotations(&job_ref(job)).await.unwrap();
    client.rerun_job(&diagnosed(host, run), &job_ref(job)).await.unwrap();
    client.cancel(&run_ref(run)).await.unwrap();
    client.rerun_all(&diagnosed(host, run)).await.unwrap();
    host.world().repositories.get_mut(NAME).unwrap().finish(run, "failure");
    client.rerun_failed_jobs(&diagnosed(host, run)).await.unwrap();
    client.jobs(&run_ref(run), 4).await.unwrap();

    client.permission(&repository, "octocat").await.unwrap();

    let (key, reference) = ("npm-abc", "refs/heads/main");
    let cache = forge::Cache { id: 1, key: key.to_owned(), reference: reference.to_owned(), bytes: 9 };
    host.world().repositories.get_mut(NAME).unwrap().caches.push(cache);
    assert_eq!(client.caches(&repository, Some("npm-"), Some(reference)).await.unwrap().len(), 1);
    assert_eq!(client.delete_cache(&repository, key, reference).await.unwrap(), 1);

    let mut text = IssueText {
        marker: marker("npm-integrity/4f1c"),
        title: "The cache is damaged".to_owned(),
        body: "x".to_owned(),
        labels: Vec::new(),
    };
    let issue = client.create_issue(&repository, &text).await.unwrap();
    text.body = "y".to_owned();
    client.update_issue(&repository, issue.number, &text).await.unwrap();
    client.comment(&repository, issue.number, &marker("incident/0001"), "a").await.unwrap();
    client.comment(&repository, issue.number, &marker("incident/0001"), "b").await.unwrap();
    assert!(client.issue(&repository, issue.number).await.unwrap().is_some());
    client.assign(&repository, issue.number, &["octocat".to_owned()]).await.unwrap();
    client.close_issue(&repository, issue.number).await.unwrap();
    assert!(client.find_issue(&repository, &text.marker).await.unwrap().is_some());

    let head_sha = host.world().repositories[NAME].git.refs["main"].clone();
    let mut check = Check {
        name: "Regreen".to_owned(),
        head_sha,
        marker: marker("incident/0001"),
        state: CheckState::Running,
        title: "Healing".to_owned(),
        summary: "s".to_owned(),
        details_url: Some("https://regreen.example/1".to_owned()),
        started_at: Some(SystemTime::now()),
    };
    client.check_run(&repository, &check).await.unwrap();
    check.state = CheckState::ActionRequired;
    client.check_run(&repository, &check).await.unwrap();

    let mut change = Change {
        base: "main".to_owned(),
        branch: "regreen/repair".to_owned(),
        files: vec![FileChange {
            path: "package-lock.json".to_owned(),
            before: Some(b"good\n".to_vec()),
            after: b"better\n".to_vec(),
            executable: false,
        }],
        message: "Repair".to_owned(),
        title: "Repair".to_owned(),
        body: "x".to_owned(),
        marker: marker("lockfile/1"),
    };
    client.propose_change(&repository, &change).await.unwrap();
    change.files[0].after = b"best\n".to_vec();
    change.body = "y".to_owned();
    client.propose_change(&repository, &change).await.unwrap();
    client.dispatch(&repository, "ci.yml", "main", &[("a".to_owned(), "1".to_owned())].into()).await.unwrap();
    client.actor().await.unwrap();
}

#[tokio::test]
async fn both_sides_keep_to_the_official_description() {
    let host = forge::GitHub::start().unwrap();
    host.world().add(NAME, &[("package-lock.json", b"good\n")]);
    let prism = Prism::start(&host.url());
    host.world().shown_as.clone_from(&prism.url);
    // The description names status 304 for some reads only, though GitHub gives it for all.
    host.world().tags = false;
    let by_token = crate::client(&prism.url);
    everything(&host, &by_token).await;
    // As an app: its own account, its installation, its token.
    host.world().app_only = true;
    let made = Command::new("openssl").args(["genrsa", "2048"]).output().unwrap();
    let key = String::from_utf8(made.stdout).unwrap();
    let as_app = GitHub::new(&prism.url, Credential::app("1", &key).unwrap(), options()).unwrap();
    let run = host.world().repositories[NAME].runs[0].id;
    as_app.run(&run_ref(run)).await.unwrap();
    as_app.actor().await.unwrap();
    let through = host.world().calls.iter().filter(|call| !call.path.starts_with("/_logs")).count();
    assert!(through > 50, "{through}");
    let complaints = prism.complaints();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
