//! From a log and a workspace to a diagnosis: read, scan, probe what the signatures call for, conclude.

use std::time::{Duration, SystemTime};

use regreen_catalog::Catalog;
use regreen_detect::{Baseline, Circumstances, Detection, Detector, ExitFacts};
use regreen_domain::{
    AdviseClass, CommandFacts, Evidence, FailureClass, Finding, HealableClass, InfraClass, PackageName,
    Resource, Standing, Tool,
};
use regreen_logs::{Dropped, ReadOptions, read};
use regreen_mask::{Announced, Masker};
use regreen_steps::Cause;
use regreen_tools::{
    Adapter, Job, Trouble, adapter, locks,
    memory::{Kills, Memory},
    probe::{self, Suspect},
    runtime::Runtime,
};

use crate::{shared_repair::Since, state::State};

/// Diagnoses a log alone: nothing is looked at but its text.
pub fn diagnose_log(catalog: &Catalog, bytes: &[u8], masker: &Masker) -> Detection {
    diagnose_log_with(&Detector::new(catalog), bytes, masker)
}

/// The same with a detector that was made before.
pub fn diagnose_log_with(detector: &Detector<'_>, bytes: &[u8], masker: &Masker) -> Detection {
    let log = read(bytes, &ReadOptions::default());
    let scan = detector.scan(&log, &Circumstances { command: None, exit: None });
    detector.conclude(&scan, &[], masker)
}

/// What a failure in a job looks like.
pub(crate) struct Look {
    pub(crate) detection: Detection,
    pub(crate) findings: Vec<Finding>,
    /// Every healable class that a line of the log can mean. Empty where code speaks.
    pub(crate) suspects: Vec<HealableClass>,
    tool: Option<Tool>,
    /// What the signature says was used up, and in which runtime.
    resource: Option<Resource>,
    runtime: Option<Runtime>,
    began: SystemTime,
    /// What the kernel had killed for want of memory when this was looked at.
    pub(crate) kills: Kills,
}

impl Look {
    /// The package manager that the failure is about.
    pub(crate) fn adapter(&self) -> Option<&'static dyn Adapter> {
        self.tool.as_ref().and_then(adapter)
    }

    /// What a step may use of it.
    pub(crate) fn cause(&self) -> Cause {
        let diagnosis = &self.detection.diagnosis;
        // As curl words it, and cargo after it. Source: curl's `lib/strerror.c` (CURLE_HTTP2, CURLE_HTTP2_STREAM).
        let framing =
            |line: &Evidence| ["HTTP/2", "HTTP2", "http2"].iter().any(|word| line.text.contains(word));
        Cause {
            class: diagnosis.class.healable(),
            trouble: Trouble { framing: diagnosis.evidence.iter().any(framing) },
            package: self.detection.package(),
            resource: self.resource,
            runtime: self.runtime,
            began: self.began,
        }
    }

    /// Whether a neighbour's healing is what confirms the diagnosis.
    pub(crate) fn was_repaired_by_another(&self) -> bool {
        self.findings.iter().any(|f| f.probe == probe::SHARED_REPAIR && f.standing == Standing::Confirms)
    }
}

/// Where a failure is looked at.
pub(crate) struct Scene<'a> {
    pub(crate) job: &'a Job,
    pub(crate) command: &'a CommandFacts,
    pub(crate) exit: ExitFacts,
    /// When the command began, in milliseconds since 1970.
    pub(crate) began: i64,
    /// What a passing run prints.
    pub(crate) usual: &'a [u64],
    pub(crate) state: &'a State,
    /// What the kernel had killed for want of memory when the command began.
    pub(crate) kills: Option<&'a Kills>,
}

/// Diagnoses a command that has just failed here: its output first, then what the workspace, the cache and the
/// remotes say of it.
pub(crate) async fn look(
    catalog: &Catalog,
    scene: &Scene<'_>,
    output: &[u8],
    dropped: Dropped,
    masker: &Masker,
) -> Look {
    let Scene { job, command, exit, began, usual, state, kills } = *scene;
    let detector = Detector::new(catalog);
    let log = read(output, &ReadOptions::spool(dropped));
    let masker = &masker.knowing(&Announced::by(output));
    let baseline = Baseline::stored(usual.iter().copied(), masker);
    let circumstances = Circumstances { command: Some(command), exit: Some(exit) };
    let scan = detector.scan_beside(&log, &circumstances, Some(&baseline));
    let first = detector.conclude(&scan, &[], masker);
    let suspects = suspects(&first);
    let tool = first.diagnosis.tool.clone().or_else(|| command.tool.clone());
    let signature = first.diagnosis.pattern.as_deref().and_then(|id| catalog.pattern(id));
    let resource = signature.and_then(|pattern| pattern.resource);
    let runtime = signature.and_then(|pattern| Runtime::of(&pattern.tools));
    let now = Kills::now();
    let mut findings = match tool.as_ref().and_then(adapter) {
        Some(adapter) => probe_for(&first, &suspects, job, adapter, Since { state, began }).await,
        None => Vec::new(),
    };
    // Advice is all that comes of it: nobody here sets a clock, or looks away from a certificate.
    if first.diagnosis.class == FailureClass::Infra(InfraClass::Advise(AdviseClass::TrustFailure))
        && let Some(adapter) = tool.as_ref().and_then(adapter)
    {
        findings.extend(probe::clock(job, adapter, first.diagnosis.class).await);
    }
    if let (Some(resource), Some(tool)) = (resource, &tool) {
        let own = command.tool.as_ref().and_then(adapter);
        findings.extend(match resource {
            Resource::Disk => probe::disk(job, own, tool).await,
            Resource::Memory => probe::memory(tool, kills),
            Resource::Heap => match (runtime, Memory::now()) {
                (Some(runtime), Some(memory)) => probe::heap(tool, runtime.limit(job, memory)),
                _ => Vec::new(),
            },
            Resource::Handles => Vec::new(),
        });
    }
    let detection = if findings.is_empty() { first } else { detector.conclude(&scan, &findings, masker) };
    let since = Duration::from_millis(u64::try_from(began).unwrap_or(0));
    let began = SystemTime::UNIX_EPOCH + since;
    Look { detection, findings, suspects, tool, resource, runtime, began, kills: now }
}

/// Code is never healed, so nothing needs to be asked about it.
fn suspects(first: &Detection) -> Vec<HealableClass> {
    if matches!(first.diagnosis.class, FailureClass::Code(_)) {
        return Vec::new();
    }
    let counted = first.signatures.iter().filter(|s| s.counts);
    counted
        .flat_map(|s| std::iter::once(s.class).chain(s.also.iter().copied()))
        .filter_map(FailureClass::healable)
        .collect()
}

async fn probe_for(
    first: &Detection,
    classes: &[HealableClass],
    job: &Job,
    adapter: &'static dyn Adapter,
    since: Since<'_>,
) -> Vec<Finding> {
    use HealableClass as C;
    let mut findings = Vec::new();
    if classes.iter().any(|c| matches!(c, C::LockfileCorruption | C::CacheCorruption)) {
        findings.extend(probe_bytes(first, job, adapter, since).await);
    }
    let remote = |c: &HealableClass| matches!(c, C::NetworkTimeout | C::ServiceUnavailable | C::RateLimited);
    let named = first.diagnosis.class.healable().filter(remote);
    if let Some(class) = named.or_else(|| classes.iter().copied().find(remote)) {
        let seen_failing = named.is_some();
        findings.extend(probe::remote(job, adapter, class, first.host().as_ref(), seen_failing).await);
    }
    findings
}

/// The lockfile, the cache, and where neither is the odd one out, what the registry serves.
async fn probe_bytes(
    first: &Detection,
    job: &Job,
    adapter: &'static dyn Adapter,
    since: Since<'_>,
) -> Vec<Finding> {
    let look = locks::look(job, adapter).await;
    let mut findings = probe::lockfile(&adapter.tool(), &look);
    let decided = |findings: &[Finding]| {
        findings.iter().any(|f| matches!(f.standing, Standing::Confirms | Standing::Forbids))
    };
    if decided(&findings) {
        return findings;
    }
    findings.extend(probe::cache(job, adapter).await);
    if !decided(&findings) {
        findings.extend(since.look(
            &since.state.workspace_lock(),
            adapter.tool(),
            HealableClass::LockfileCorruption,
        ));
        let cache = adapter.cache_root(job).await.map(|root| since.state.cache_lock(&root));
        findings
            .extend(cache.and_then(|lock| since.look(&lock, adapter.tool(), HealableClass::CacheCorruption)));
    }
    let damaged = decided(&findings);
    if let Ok(look) = &look {
        // Several lines may name the package; the last word on an error often does not.
        let named =
            first.signatures.iter().filter_map(|s| PackageName::from_untrusted(s.captures.get("package")?));
        let suspect = Suspect { packages: named.chain(first.package()).collect() };
        let served = probe::checksum(job, adapter, look, &suspect).await;
        // Where the cache is damaged, only possible tampering is worth adding.
        findings.extend(served.into_iter().filter(|f| !damaged || f.standing == Standing::Forbids));
    }
    findings
}
