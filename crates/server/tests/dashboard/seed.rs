//! A ledger in which much happened, filled by the ledger's own means: for looking at the dashboard, and for its tests.

use regreen_domain::{
    Alternative, Confidence, Decision, Diagnosis, Evidence, FailureClass, Fingerprint, Outcome,
    PatternSource, Plan, PlannedStep, Refusal, Risk, Role, Tool, Verification, VerificationFactor,
};
use regreen_ledger::{
    BreakerKey, BreakerOutcome, Closing, Ledger, NewIncident, NewOutage, Patch, Place, Sighting,
};
use regreen_saga::{Effect, Fact, Journal, StepEvent};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// Who works on all of it.
pub const OWNER: &str = "node-1";
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A kind of failure.
struct Story {
    class: &'static str,
    pattern: Option<&'static str>,
    tool: Option<&'static str>,
    playbook: &'static str,
    sure: f64,
    lines: &'static [(u64, &'static str)],
    reason: &'static str,
}

const STORIES: [Story; 8] = [
    Story {
        class: "network-timeout",
        pattern: Some("npm-connection-lost"),
        tool: Some("npm"),
        playbook: "rerun-failed-jobs",
        sure: 0.97,
        lines: &[
            (812, "npm error code ECONNRESET"),
            (
                813,
                "npm error network request to https://registry.npmjs.org/react failed, reason: read ECONNRESET",
            ),
            (819, "Error: Process completed with exit code 1."),
        ],
        reason: "the connection to registry.npmjs.org was reset while packages were fetched; no line speaks for the project's own code",
    },
    Story {
        class: "service-unavailable",
        pattern: Some("docker-registry-5xx"),
        tool: Some("docker"),
        playbook: "rerun-failed-jobs",
        sure: 0.93,
        lines: &[(
            77,
            "Error response from daemon: received unexpected HTTP status: 503 Service Unavailable",
        )],
        reason: "the registry answered 503 to the pull of an image",
    },
    Story {
        class: "test-failure",
        pattern: Some("pytest-failed"),
        tool: Some("pip"),
        playbook: "",
        sure: 0.99,
        lines: &[
            (2044, "FAILED tests/test_cart.py::test_total - assert 12 == 13"),
            (2051, "=================== 1 failed, 411 passed in 93.20s ==================="),
        ],
        reason: "a test of the project failed; an assertion in tests/test_cart.py speaks for its own code",
    },
    Story {
        class: "rate-limited",
        pattern: Some("curl-rate-limited"),
        tool: Some("npm"),
        playbook: "rerun-failed-jobs",
        sure: 0.91,
        lines: &[(301, "HTTP 429: too many requests (https://registry.npmjs.org/typescript)")],
        reason: "the registry refused further requests for a while",
    },
    Story {
        class: "cache-corruption",
        pattern: Some("npm-response-cut"),
        tool: Some("npm"),
        playbook: "quarantine-cache-entries",
        sure: 0.88,
        lines: &[
            (455, "npm warn tarball data for lodash@4.17.21 seems to be corrupted. Trying again."),
            (458, "npm error code EINTEGRITY"),
        ],
        reason: "an entry of the cache does not have its own checksum, and the registry's copy does",
    },
    Story {
        class: "runner-failure",
        pattern: Some("github-runner-lost"),
        tool: None,
        playbook: "rerun-failed-jobs",
        sure: 0.95,
        lines: &[(19, "The self-hosted runner: build-07 lost communication with the server.")],
        reason: "the runner went away in the middle of the job",
    },
    Story {
        class: "credential-failure",
        pattern: Some("npm-unauthorized"),
        tool: Some("npm"),
        playbook: "",
        sure: 0.9,
        lines: &[
            (66, "npm error code E401"),
            (67, "npm error Unable to authenticate, your authentication token seems to be invalid."),
        ],
        reason: "the registry did not accept the job's credential",
    },
    Story {
        class: "unknown",
        pattern: None,
        tool: None,
        playbook: "",
        sure: 0.31,
        lines: &[(903, "make: *** [Makefile:12: deploy-preview] Error 2")],
        reason: "no pattern of the catalogue speaks for a cause; these are the last words",
    },
];

const REPOSITORIES: [&str; 9] = [
    "octo-org/web-shop",
    "octo-org/payments",
    "octo-org/mobile-app",
    "octo-org/design-system",
    "acme/ingest",
    "acme/data-lake",
    "acme/billing-service",
    "labs/compiler",
    "labs/a-repository-with-rather-a-long-name-for-a-narrow-screen",
];
const JOBS: [&str; 5] =
    ["CI", "Build and test", ".github/workflows/nightly.yml", "e2e (chromium, 3/8)", "lint"];

/// Numbers that look drawn, and are the same each time.
pub struct Draw(u64);

impl Draw {
    /// From this on.
    pub const fn new(seed: u64) -> Draw {
        Draw(seed)
    }

    /// One of so many.
    pub fn of(&mut self, many: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % many
    }
}

/// Fills the ledger with `count` incidents over the last month, and with what happens right now.
pub async fn fill(ledger: &Ledger, count: u64, now: i64) {
    let mut draw = Draw::new(7);
    for i in 0..count {
        let at = now - 30 * DAY + i64::try_from(i * 30 * 86_400_000 / count.max(1)).unwrap() + 1;
        over(ledger, &mut draw, &format!("{:x}-1-{i:08x}", 0x5eed_0000 + i), at).await;
    }
    right_now(ledger, now).await;
}

fn diagnosis(story: &Story) -> Diagnosis {
    let role = |i: usize| if i == 0 { Role::Root } else { Role::Symptom };
    let line = |(i, (line, text)): (usize, &(u64, &str))| Evidence {
        line: *line,
        column: 1,
        text: (*text).to_owned(),
        role: role(i),
    };
    let digest: [u8; 8] = std::array::from_fn(|i| story.class.as_bytes().get(i).copied().unwrap_or(7));
    let rest = Confidence::from_stored((1.0 - story.sure) / 2.0).unwrap();
    Diagnosis {
        failed: true,
        class: FailureClass::parse(story.class).unwrap(),
        pattern: story.pattern.map(str::to_owned),
        pattern_source: story.pattern.map(|_| PatternSource::BuiltIn),
        tool: story.tool.and_then(Tool::new),
        step: Some("Install dependencies".to_owned()),
        confidence: Confidence::from_stored(story.sure).unwrap(),
        confirmed: story.sure > 0.94,
        evidence: story.lines.iter().enumerate().map(line).collect(),
        alternatives: ["service-unavailable", "network-timeout"]
            .into_iter()
            .filter(|other| *other != story.class)
            .map(|other| Alternative { class: FailureClass::parse(other).unwrap(), confidence: rest })
            .collect(),
        reason: story.reason.to_owned(),
        fingerprint: Fingerprint::from_digest(digest),
        truncated: false,
    }
}

fn plan(diagnosis: &Diagnosis, playbook: &str) -> Option<Plan> {
    let args = [("attempt".to_owned(), "1".to_owned())].into_iter().collect();
    let step = |id: &str, kind: &str, args| PlannedStep {
        id: id.to_owned(),
        kind: kind.to_owned(),
        args,
        lists: Default::default(),
        flow: Default::default(),
    };
    Some(Plan {
        class: diagnosis.class.healable()?,
        playbook: playbook.to_owned(),
        risk: Risk::Low,
        steps: match playbook {
            "quarantine-cache-entries" => vec![
                step("quarantine", "quarantine-entries", Default::default()),
                step("rerun", "rerun-command", args),
            ],
            _ => vec![step("rerun", "rerun-jobs", args)],
        },
        paths: Vec::new(),
    })
}

fn new<'a>(id: &'a str, at: i64, place: Place, diagnosis: &'a Diagnosis) -> NewIncident<'a> {
    NewIncident {
        id,
        owner: OWNER,
        opened_at: at,
        command_ended_at: Some(at - 20_000),
        place,
        command: vec!["build (20.x)".to_owned(), "test (20.x)".to_owned()],
        exit_code: None,
        diagnosis,
        run_marker: None,
        attempt: 1,
        detect_ms: Some(412),
    }
}

fn place(draw: &mut Draw) -> Place {
    let repository = REPOSITORIES[usize::try_from(draw.of(9).min(draw.of(9))).unwrap()];
    Place {
        workspace: repository.to_owned(),
        repository: Some(repository.to_owned()),
        commit: Some(format!("{:010x}{:030x}", draw.of(1 << 30), draw.of(1 << 30))),
        job: Some(JOBS[usize::try_from(draw.of(5)).unwrap()].to_owned()),
    }
}

fn factor(name: &str, held: Option<bool>, says: &str) -> VerificationFactor {
    VerificationFactor { name: name.to_owned(), held, says: says.to_owned() }
}

async fn tell(ledger: &Ledger, id: &str, at: i64, step: &str, event: StepEvent) {
    let mut journal = ledger.journal(id, OWNER, move || at);
    journal.append(&Fact { step: step.to_owned(), event }).await.unwrap();
}

/// An incident that is over.
async fn over(ledger: &Ledger, draw: &mut Draw, id: &str, at: i64) {
    let story = &STORIES[usize::try_from(draw.of(8).min(draw.of(9))).unwrap()];
    let (d, place) = (diagnosis(story), place(draw));
    ledger.open_incident(&new(id, at, place, &d)).await.unwrap();
    let plan = plan(&d, story.playbook).filter(|_| !story.playbook.is_empty());
    let Some(plan) = plan else {
        let because = match d.class.verdict() {
            regreen_domain::Verdict::Code => Refusal::CodeFailure,
            regreen_domain::Verdict::Unknown => Refusal::UnknownCause,
            regreen_domain::Verdict::Infrastructure => Refusal::AdviceOnly,
        };
        ledger.decided(id, OWNER, &Decision::Nothing { because }, None, Some(2), at + 3).await.unwrap();
        ledger.close(id, OWNER, &Closing::new(Outcome::LeftAlone), at + 4).await.unwrap();
        return;
    };
    if draw.of(9) == 0 {
        let decision = Decision::Suggest { plan, because: Refusal::ModeSuggest };
        ledger.decided(id, OWNER, &decision, None, Some(2), at + 3).await.unwrap();
        ledger.close(id, OWNER, &Closing::new(Outcome::Suggested), at + 4).await.unwrap();
        return;
    }
    let steps: Vec<String> = plan.steps.iter().map(|step| step.id.clone()).collect();
    ledger.decided(id, OWNER, &Decision::Heal(plan), None, Some(2), at + 3).await.unwrap();
    let healed = draw.of(8) > 0;
    let mut then = at + 10;
    for step in &steps {
        tell(
            ledger,
            id,
            then,
            step,
            StepEvent::Prepared { before: json!({ "attempt": 1, "jobs": ["build (20.x)"] }) },
        )
        .await;
        tell(ledger, id, then + 5, step, StepEvent::Started).await;
        tell(
            ledger,
            id,
            then + 900,
            step,
            StepEvent::Applied {
                receipt: json!({ "said": "the failed jobs run again as attempt 2", "attempt": 2 }),
            },
        )
        .await;
        then += 1_000;
    }
    // A person says of some what they were; where it did not heal, often something else.
    if draw.of(6) == 0 {
        let class =
            if healed || draw.of(3) == 0 { d.class } else { FailureClass::parse("test-failure").unwrap() };
        ledger.feedback(id, class, "ann", None, then).await.unwrap();
    }
    let act = 20_000 + draw.of(400_000);
    let end = then + i64::try_from(act).unwrap();
    let closing = if healed {
        tell(ledger, id, end, steps.last().unwrap(), StepEvent::Verified).await;
        Closing {
            verification: Some(Verification {
                factors: vec![
                    factor("command-green", Some(true), "every job that had failed ended well in attempt 2"),
                    factor("nothing-else-changed", Some(true), "the commit and its workflow are the same"),
                    factor("next-commits-green", None, "the next commits are not known yet"),
                ],
            }),
            act_ms: Some(act),
            verify_ms: Some(2_000),
            command_ms: Some(240_000),
            overhead_ms: Some(700),
            patch: None::<Patch>,
            ..Closing::new(Outcome::Healed)
        }
    } else {
        let why = "build (20.x) failed again in attempt 2".to_owned();
        let step = steps.last().unwrap();
        tell(ledger, id, end, step, StepEvent::NotVerified { why }).await;
        tell(ledger, id, end + 1, step, StepEvent::UndoStarted).await;
        tell(
            ledger,
            id,
            end + 2,
            step,
            StepEvent::Undone { says: Some("a run that has ended stays as it is".to_owned()) },
        )
        .await;
        Closing {
            verification: Some(Verification {
                factors: vec![factor("command-green", Some(false), "build (20.x) failed again")],
            }),
            act_ms: Some(act),
            ..Closing::new(Outcome::RolledBack)
        }
    };
    ledger.close(id, OWNER, &closing, end + 10).await.unwrap();
}

/// Being healed, waiting, paused, down, open: one of each and more.
async fn right_now(ledger: &Ledger, now: i64) {
    let mut draw = Draw::new(11);
    for (i, story) in [&STORIES[0], &STORIES[5]].into_iter().enumerate() {
        open(ledger, &format!("live-{i}"), story, &mut draw, now - 90_000 * (i as i64 + 1)).await;
    }
    for (i, story) in [&STORIES[4], &STORIES[1]].into_iter().enumerate() {
        let (id, d, at) = (format!("asks-{i}"), diagnosis(story), now - HOUR * (i as i64 + 1));
        let place = place(&mut draw);
        ledger.open_incident(&new(&id, at, place, &d)).await.unwrap();
        let plan = plan(&d, story.playbook).unwrap();
        let decision = Decision::Suggest { plan, because: Refusal::ModeApprove };
        ledger.decided(&id, OWNER, &decision, None, Some(2), at + 3).await.unwrap();
        ledger.await_approval(&id, OWNER, at + 4).await.unwrap();
    }
    for i in 0..3 {
        let key = BreakerKey {
            class: "network-timeout".to_owned(),
            service: "npm".to_owned(),
            repository: "acme/data-lake".to_owned(),
        };
        ledger
            .breaker_outcome(&key, &format!("b{i}"), BreakerOutcome::Failure, now - MINUTE * (5 - i))
            .await
            .unwrap();
    }
    let service = "registry.npmjs.org";
    for repository in &REPOSITORIES[..4] {
        let seen = Sighting {
            service: service.to_owned(),
            class: "service-unavailable".to_owned(),
            repository: (*repository).to_owned(),
            at: now - 9 * MINUTE,
        };
        ledger.sighted(&format!("s-{}", repository.replace('/', "-")), &[seen]).await.unwrap();
    }
    let new = NewOutage { service, class: "service-unavailable", began_at: now - 9 * MINUTE, known: true };
    let tend = |id: &str| (format!("tend/{id}"), "{}".to_owned());
    let outage = ledger.begin_outage(&new, tend, "tend-outage", now - 8 * MINUTE).await.unwrap();
    ledger.probed(&outage.id, false, now - 30_000).await.unwrap();
    ledger.wait_for("live-0", &outage.id, now - MINUTE).await.unwrap();
}

/// One that is being healed.
async fn open(ledger: &Ledger, id: &str, story: &Story, draw: &mut Draw, at: i64) {
    let (d, place) = (diagnosis(story), place(draw));
    ledger.open_incident(&new(id, at, place, &d)).await.unwrap();
    let plan = plan(&d, story.playbook).unwrap();
    ledger.decided(id, OWNER, &Decision::Heal(plan), None, Some(2), at + 3).await.unwrap();
    tell(ledger, id, at + 10, "rerun", StepEvent::Prepared { before: json!({ "attempt": 1 }) }).await;
    tell(ledger, id, at + 20, "rerun", StepEvent::Started).await;
}

/// Text that would do something wherever it is not taken for text.
pub const HOSTILE: [&str; 4] = [
    "\"><img src=x onerror=\"window.pwned=1\">",
    "</script><script>window.pwned=1</script>",
    "'-window.pwned=1-'",
    "x\u{202e}gpj.exe \u{1b}[2J ##[error]a",
];

/// An incident of which every text that comes from outside is hostile.
pub async fn hostile(ledger: &Ledger, id: &str, now: i64) {
    let [a, b, c, d] = HOSTILE;
    let mut diagnosis = diagnosis(&STORIES[0]);
    diagnosis.pattern = Some(b.to_owned());
    diagnosis.step = Some(c.to_owned());
    diagnosis.reason = a.to_owned();
    for (line, text) in diagnosis.evidence.iter_mut().zip([a, b, d]) {
        line.text = text.to_owned();
    }
    let place = Place {
        workspace: a.to_owned(),
        repository: Some(a.to_owned()),
        commit: Some(b.to_owned()),
        job: Some(d.to_owned()),
    };
    let new =
        NewIncident { command: vec![a.to_owned(), c.to_owned()], ..new(id, now - 5_000, place, &diagnosis) };
    ledger.open_incident(&new).await.unwrap();
    let plan = plan(&diagnosis, "rerun-failed-jobs").unwrap();
    let decision = Decision::Suggest { plan, because: Refusal::ModeApprove };
    ledger.decided(id, OWNER, &decision, None, None, now - 4_000).await.unwrap();
    ledger.await_approval(id, OWNER, now - 3_000).await.unwrap();
    ledger.keep_log(id, a, &format!("{b}\n"), now).await.unwrap();
    ledger.pause("repository:octo-org/frozen", a, b, now - 2_000).await.unwrap();
}

/// One that waits for a person.
pub async fn waits(ledger: &Ledger, id: &str, now: i64) {
    let diagnosis = diagnosis(&STORIES[1]);
    ledger.open_incident(&new(id, now - MINUTE, place(&mut Draw::new(5)), &diagnosis)).await.unwrap();
    let plan = plan(&diagnosis, "rerun-failed-jobs").unwrap();
    let decision = Decision::Suggest { plan, because: Refusal::ModeApprove };
    ledger.decided(id, OWNER, &decision, None, Some(2), now - MINUTE + 3).await.unwrap();
    ledger.await_approval(id, OWNER, now - MINUTE + 4).await.unwrap();
}

/// One that is under way at GitHub, as run `run`; its id.
pub async fn under_way(ledger: &Ledger, run: u64, now: i64) -> String {
    let repository = "octo-org/web-shop";
    let digest: String =
        Sha256::digest(format!("github:{repository}")).iter().take(4).map(|b| format!("{b:02x}")).collect();
    let id = format!("{run:x}-1-{digest}");
    let d = diagnosis(&STORIES[0]);
    let place = Place { repository: Some(repository.to_owned()), ..place(&mut Draw::new(2)) };
    ledger.open_incident(&new(&id, now - MINUTE, place, &d)).await.unwrap();
    let plan = plan(&d, "rerun-failed-jobs").unwrap();
    ledger.decided(&id, OWNER, &Decision::Heal(plan), None, Some(2), now - MINUTE + 3).await.unwrap();
    id
}

/// Failures that recur and that no pattern names.
pub async fn unnamed(ledger: &Ledger, now: i64) {
    for n in 0..4 {
        let line = format!(
            "licence server lic-{n}.example refused the seat: pool `nightly` is empty {}",
            HOSTILE[0]
        );
        let mut d = diagnosis(&STORIES[7]);
        d.evidence[0].text = line;
        let (id, at) = (format!("unnamed-{n}"), now - HOUR - n);
        ledger.open_incident(&new(&id, at, place(&mut Draw::new(n.unsigned_abs())), &d)).await.unwrap();
        let nothing = Decision::Nothing { because: Refusal::UnknownCause };
        ledger.decided(&id, OWNER, &nothing, None, Some(2), at + 3).await.unwrap();
        ledger.close(&id, OWNER, &Closing::new(Outcome::LeftAlone), at + 4).await.unwrap();
    }
}

/// A healing that begins.
pub async fn begins(ledger: &Ledger, id: &str, now: i64) {
    open(ledger, id, &STORIES[0], &mut Draw::new(3), now).await;
}

/// It goes wrong once, and is seen to.
pub async fn goes_on(ledger: &Ledger, id: &str, now: i64) {
    let failed =
        StepEvent::Failed { effect: Effect::None, why: "the host asked to come back later".to_owned() };
    tell(ledger, id, now, "rerun", failed).await;
    tell(ledger, id, now + 1, "rerun", StepEvent::TryAgain).await;
}

/// One that a pattern of this name and source named.
pub async fn named(ledger: &Ledger, id: &str, pattern: &str, source: Option<PatternSource>, at: i64) {
    let own =
        Diagnosis { pattern: Some(pattern.to_owned()), pattern_source: source, ..diagnosis(&STORIES[0]) };
    ledger.open_incident(&new(id, at, place(&mut Draw::new(5)), &own)).await.unwrap();
}
