//! What a person does about a failure that nothing heals by itself: what to look at, in order, and whose it is.
//!
//! The names in it (host, package, tool) come through typed holes; where none is known, the sentence does without.

use regreen_domain::{AdviseClass, FailureClass, HealableClass, Host, InfraClass, PackageName, Tool};

/// What the deciding line names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// The host that it talks of.
    pub host: Option<Host>,
    /// The package that it talks of.
    pub package: Option<PackageName>,
    /// Whose words it is.
    pub tool: Option<Tool>,
}

/// Advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What to look at, the likeliest first.
    pub checks: Vec<String>,
    /// Who can put it right.
    pub who: String,
}

/// The advice for a class; `None` where a playbook or the project's own people are the answer.
pub fn advice(class: FailureClass, named: &Named) -> Option<Advice> {
    let tool = named.tool.as_ref().map_or("the tool", Tool::as_str);
    let host = named.host.as_ref().map_or("the host", Host::as_str);
    let package = named.package.as_ref().map_or("the package", PackageName::as_str);
    let (checks, who) = match class {
        FailureClass::Infra(InfraClass::Advise(class)) => match class {
            AdviseClass::CredentialFailure => (
                vec![
                    format!("does the job get the credential for {host} at all: a fork's pull request, another branch and a renamed secret get none"),
                    format!("is it still valid: log in to {host} with the same token from elsewhere, and look at its end and its rights"),
                    format!("does {tool} send it there: the address in its configuration must be the one that the credential is stored for"),
                    format!("may the account read {package} (a private package answers 401, 403 or 404)"),
                ],
                format!("the owner of the credential for {host}"),
            ),
            AdviseClass::TrustFailure => (
                vec![
                    format!("is this machine's clock right: one that is wrong by days makes every certificate look expired or not yet valid"),
                    format!("which certificate does {host} show: `openssl s_client -connect {}` prints its end and its issuer", with_port(host)),
                    format!("is a proxy in between that signs by its own authority: its certificate belongs into the machine's store, and nowhere else"),
                    format!("is the machine's store of authorities (ca-certificates), or the repository's signing key, of this year"),
                    "leave the check on: who turns it off takes packages from anybody".to_owned(),
                ],
                format!("whoever runs {host}, or the machine's image"),
            ),
            AdviseClass::ToolchainMissing => (
                vec![
                    format!("does the job install what {tool} needs, in the version that the project asks for, before this step"),
                    "was the runner's image renewed: compare its version with that of the last green run".to_owned(),
                    "is it installed and only not on PATH for this shell or this user".to_owned(),
                ],
                "the owner of the job's definition, or of the runner's image".to_owned(),
            ),
            AdviseClass::DependencyUnresolvable => (
                vec![
                    format!("is there such a version of {package}: {host} says so, and whether it was yanked or never published there"),
                    format!("is {tool} asking the right registry for {package}, in particular where it is a private one"),
                    format!("which two demands exclude each other: {tool} names them right above; loosen one of them, and commit manifest and lockfile together"),
                ],
                format!("the project's own maintainers; of a version that is gone, those of {package}"),
            ),
        },
        FailureClass::Infra(InfraClass::Healable(HealableClass::RunnerFailure)) => (
            vec![
                "run the job again on another runner: nothing inside this one can".to_owned(),
                "was it ended by a limit of time, by a newer push, or because a cheaper machine was taken back".to_owned(),
                "does it happen to this job only: then look at its use of memory and disk in the minutes before".to_owned(),
            ],
            "whoever runs the CI system and its runners".to_owned(),
        ),
        _ => return None,
    };
    Some(Advice { checks, who })
}

fn with_port(host: &str) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    if has_port { host.to_owned() } else { format!("{}:443", host.replace("the host", "HOST")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_that_is_never_healed_has_advice_and_names_whom_to_ask() {
        let named = Named {
            host: Host::parse("npm.example.com"),
            package: PackageName::parse("@acme/parts"),
            tool: Tool::new("npm"),
        };
        for class in FailureClass::ALL {
            let given = advice(class, &named);
            let wanted = matches!(class, FailureClass::Infra(InfraClass::Advise(_)))
                || class == FailureClass::from(HealableClass::RunnerFailure);
            assert_eq!(given.is_some(), wanted, "{class}");
            let bare = advice(class, &Named::default());
            assert_eq!(bare.is_some(), wanted, "{class}");
        }
        let class = FailureClass::Infra(InfraClass::Advise(AdviseClass::CredentialFailure));
        let Some(Advice { checks, who }) = advice(class, &named) else { panic!("there is advice") };
        assert!(checks[0].contains("npm.example.com") && who.contains("npm.example.com"));
        assert!(checks.iter().any(|check| check.contains("@acme/parts")));
    }
}
