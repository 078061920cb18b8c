//! The taxonomy: fifteen failure classes and `unknown`, each with one stable id.

use std::fmt;

/// Why a job failed. Only [`InfraClass::Healable`] can become a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureClass {
    /// Not the code's fault.
    Infra(InfraClass),
    /// The project's own code, tests, style or configuration: never healed.
    Code(CodeClass),
    /// An honest answer, and always "no action".
    Unknown,
}

/// Infrastructure failures, split by whether Regreen may act on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InfraClass {
    /// May be healed by a playbook.
    Healable(HealableClass),
    /// Gets exact advice and a person; never a repair.
    Advise(AdviseClass),
}

/// The seven classes that a playbook may heal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HealableClass {
    /// A lockfile that can't be parsed, holds conflict markers, a wrong checksum, or disagrees with its manifest.
    LockfileCorruption,
    /// A package, build or layer cache that is damaged or stale.
    CacheCorruption,
    /// Time-outs, resets, hang-ups, DNS failures, unreachable hosts.
    NetworkTimeout,
    /// A remote service answers 5xx or is down.
    ServiceUnavailable,
    /// HTTP 429, API quota, pull limits.
    RateLimited,
    /// Disk full, out of memory, file handles.
    ResourceExhausted,
    /// Runner lost, shut down, pre-empted.
    RunnerFailure,
}

/// The four infrastructure classes about which Regreen only advises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AdviseClass {
    /// 401/403, expired token, publickey denied.
    CredentialFailure,
    /// Expired, self-signed or unknown certificate; missing or expired signing key.
    TrustFailure,
    /// Tool, runtime or system library absent or of the wrong version.
    ToolchainMissing,
    /// Version conflict, no matching version, package gone or yanked.
    DependencyUnresolvable,
}

/// The four code classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CodeClass {
    /// The project does not build.
    BuildFailure,
    /// A test of the project fails, also one that talks of time-outs or sockets.
    TestFailure,
    /// A linter or formatter objects.
    LintFailure,
    /// Workflow or pipeline definition, missing script, missing variable.
    ConfigFailure,
}

/// The coarse answer of a diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The infrastructure was at fault.
    Infrastructure,
    /// The project's own code was at fault.
    Code,
    /// Not diagnosed.
    Unknown,
}

impl FailureClass {
    /// Every class, `Unknown` last, in the order of the taxonomy.
    pub const ALL: [FailureClass; 16] = {
        use AdviseClass as A;
        use CodeClass as C;
        use FailureClass::{Code, Infra, Unknown};
        use HealableClass as H;
        use InfraClass::{Advise, Healable};
        [
            Infra(Healable(H::LockfileCorruption)),
            Infra(Healable(H::CacheCorruption)),
            Infra(Healable(H::NetworkTimeout)),
            Infra(Healable(H::ServiceUnavailable)),
            Infra(Healable(H::RateLimited)),
            Infra(Healable(H::ResourceExhausted)),
            Infra(Healable(H::RunnerFailure)),
            Infra(Advise(A::CredentialFailure)),
            Infra(Advise(A::TrustFailure)),
            Infra(Advise(A::ToolchainMissing)),
            Infra(Advise(A::DependencyUnresolvable)),
            Code(C::BuildFailure),
            Code(C::TestFailure),
            Code(C::LintFailure),
            Code(C::ConfigFailure),
            Unknown,
        ]
    };

    /// The stable id, as in files, JSON and metrics.
    pub const fn id(self) -> &'static str {
        match self {
            FailureClass::Infra(InfraClass::Healable(h)) => h.id(),
            FailureClass::Infra(InfraClass::Advise(a)) => match a {
                AdviseClass::CredentialFailure => "credential-failure",
                AdviseClass::TrustFailure => "trust-failure",
                AdviseClass::ToolchainMissing => "toolchain-missing",
                AdviseClass::DependencyUnresolvable => "dependency-unresolvable",
            },
            FailureClass::Code(c) => match c {
                CodeClass::BuildFailure => "build-failure",
                CodeClass::TestFailure => "test-failure",
                CodeClass::LintFailure => "lint-failure",
                CodeClass::ConfigFailure => "config-failure",
            },
            FailureClass::Unknown => "unknown",
        }
    }

    /// The class with this id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.id() == id)
    }

    /// What it is, in a few words.
    pub const fn explain(self) -> &'static str {
        use {AdviseClass as A, CodeClass as C, HealableClass as H};
        match self {
            FailureClass::Infra(InfraClass::Healable(class)) => match class {
                H::LockfileCorruption => {
                    "a lockfile that can't be parsed, holds conflict markers or a wrong checksum, or disagrees with its manifest"
                }
                H::CacheCorruption => "a package, build or layer cache that is damaged or stale",
                H::NetworkTimeout => "time-outs, resets, hang-ups, DNS failures, unreachable hosts",
                H::ServiceUnavailable => "a remote service answers 5xx or is down",
                H::RateLimited => "HTTP 429, an API quota, a pull limit",
                H::ResourceExhausted => "disk full, out of memory, no file handles left",
                H::RunnerFailure => "the runner was lost, shut down or pre-empted",
            },
            FailureClass::Infra(InfraClass::Advise(class)) => match class {
                A::CredentialFailure => "401 or 403, an expired token, a public key that was denied",
                A::TrustFailure => {
                    "an expired, self-signed or unknown certificate; a missing or expired signing key"
                }
                A::ToolchainMissing => "a tool, runtime or system library is absent or of the wrong version",
                A::DependencyUnresolvable => {
                    "versions conflict, no version matches, or a package is gone or yanked"
                }
            },
            FailureClass::Code(class) => match class {
                C::BuildFailure => "the project does not build",
                C::TestFailure => "a test of the project fails, also one that talks of time-outs or sockets",
                C::LintFailure => "a linter or formatter objects",
                C::ConfigFailure => {
                    "a workflow or pipeline definition is wrong; a script or variable is missing"
                }
            },
            FailureClass::Unknown => "an honest answer: the cause is not known",
        }
    }

    /// Infrastructure, code or unknown.
    pub const fn verdict(self) -> Verdict {
        match self {
            FailureClass::Infra(_) => Verdict::Infrastructure,
            FailureClass::Code(_) => Verdict::Code,
            FailureClass::Unknown => Verdict::Unknown,
        }
    }

    /// The healable class, where it is one.
    pub const fn healable(self) -> Option<HealableClass> {
        match self {
            FailureClass::Infra(InfraClass::Healable(h)) => Some(h),
            _ => None,
        }
    }
}

impl HealableClass {
    /// The stable id, as in files, JSON and metrics.
    pub const fn id(self) -> &'static str {
        match self {
            HealableClass::LockfileCorruption => "lockfile-corruption",
            HealableClass::CacheCorruption => "cache-corruption",
            HealableClass::NetworkTimeout => "network-timeout",
            HealableClass::ServiceUnavailable => "service-unavailable",
            HealableClass::RateLimited => "rate-limited",
            HealableClass::ResourceExhausted => "resource-exhausted",
            HealableClass::RunnerFailure => "runner-failure",
        }
    }
}

impl From<HealableClass> for FailureClass {
    fn from(class: HealableClass) -> Self {
        FailureClass::Infra(InfraClass::Healable(class))
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Infrastructure => "infrastructure",
            Verdict::Code => "code",
            Verdict::Unknown => "unknown",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_finds_its_class_and_ids_are_unique() {
        for (i, class) in FailureClass::ALL.into_iter().enumerate() {
            assert_eq!(FailureClass::parse(class.id()), Some(class));
            assert!(FailureClass::ALL[..i].iter().all(|other| other.id() != class.id()));
        }
    }

    #[test]
    fn exactly_seven_classes_are_healable_and_none_of_them_is_code() {
        let healable: Vec<_> = FailureClass::ALL.into_iter().filter(|c| c.healable().is_some()).collect();
        assert_eq!(healable.len(), 7);
        assert!(healable.iter().all(|c| c.verdict() == Verdict::Infrastructure));
    }
}
