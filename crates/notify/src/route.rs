//! Whom a notice goes to, and when.

use crate::{Kind, Notice, Quiet, Severity};

const HOUR: i64 = 3_600_000;

/// Who is told of what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// The sinks, by name.
    pub sinks: Vec<String>,
    /// The kinds; empty: all but `healed`.
    pub kinds: Vec<Kind>,
    /// `owner/name`, or `owner/*`; `None`: any.
    pub repository: Option<String>,
    /// The class; `None`: any.
    pub class: Option<String>,
}

/// Somebody who is told, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    /// The sink's name.
    pub name: String,
    /// When only what is critical is told.
    pub quiet: Option<Quiet>,
    /// Most notices in an hour; what is more comes in one summary when the hour is over.
    pub per_hour: u32,
    /// The same subject is not told again within this time, in milliseconds.
    pub once_in: i64,
    /// Everything but what is critical comes in summaries of so many milliseconds.
    pub digest: Option<i64>,
    /// Everything is told by itself and at once: whoever keeps an alert open hears of its end.
    pub at_once: bool,
}

/// When somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At once.
    Now,
    /// In one summary of this time, when it is over: from, until; milliseconds since 1970.
    Summary(i64, i64),
}

/// Everybody who may be told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Routes {
    /// Who is told of what. Every rule that fits counts.
    pub rules: Vec<Rule>,
    /// Everybody.
    pub recipients: Vec<Recipient>,
}

impl Routes {
    /// Who is told of a notice; each once.
    pub fn told_of<'r>(&'r self, notice: &Notice) -> impl Iterator<Item = &'r Recipient> {
        let fits = |to: &&Recipient| {
            self.rules.iter().any(|rule| rule.sinks.contains(&to.name) && rule.fits(notice))
        };
        self.recipients.iter().filter(fits).collect::<Vec<_>>().into_iter()
    }

    /// The one with this name.
    pub fn recipient(&self, name: &str) -> Option<&Recipient> {
        self.recipients.iter().find(|to| to.name == name)
    }
}

impl Rule {
    fn fits(&self, notice: &Notice) -> bool {
        let kind = match self.kinds.as_slice() {
            [] => notice.kind != Kind::Healed,
            kinds => kinds.contains(&notice.kind),
        };
        // A summary and a test are about no repository.
        let repository = match (self.repository.as_deref(), notice.repository.as_deref()) {
            (None, _) => true,
            (Some(pattern), Some(repository)) => names(pattern, repository),
            (Some(_), None) => false,
        };
        let class = self.class.as_deref().is_none_or(|class| notice.class.as_deref() == Some(class));
        kind && repository && class
    }
}

impl Recipient {
    /// When a notice is told, of which `sent` others came up since the hour began.
    pub fn when(&self, notice: &Notice, now: i64, sent: u32) -> When {
        if self.at_once || notice.kind.severity() == Severity::Critical || notice.kind == Kind::Test {
            return When::Now;
        }
        if let Some((from, until)) = self.quiet.as_ref().and_then(|quiet| quiet.around(now)) {
            return When::Summary(from, until);
        }
        if let Some(every) = self.digest.filter(|every| *every > 0) {
            let from = now - now.rem_euclid(every);
            return When::Summary(from, from + every);
        }
        if sent >= self.per_hour {
            let hour = now - now.rem_euclid(HOUR);
            return When::Summary(hour, hour + HOUR);
        }
        When::Now
    }

    /// Names a notice to this sink for as long as it is not told again. What waits for a person, or begins and ends, is told
    /// each time.
    pub fn key(&self, notice: &Notice) -> String {
        let again = matches!(notice.kind, Kind::Healed | Kind::RolledBack | Kind::NeedsPerson);
        let span = match self.once_in {
            window if again && window > 0 => format!("{}/{}", notice.subject, notice.at.div_euclid(window)),
            _ => notice.id.clone(),
        };
        format!("{}/{}/{span}", self.name, notice.kind.id())
    }
}

/// Names of repositories have no case at either host.
fn names(pattern: &str, repository: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => repository.get(..head.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(head)),
        None => pattern.eq_ignore_ascii_case(repository),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::notice;

    fn routes() -> Routes {
        let recipient = |name: &str| Recipient {
            name: name.to_owned(),
            quiet: None,
            per_hour: 2,
            once_in: HOUR,
            digest: None,
            at_once: false,
        };
        Routes {
            rules: vec![
                Rule { sinks: vec!["ops".to_owned()], ..Rule::default() },
                Rule {
                    sinks: vec!["ops".to_owned(), "shop".to_owned()],
                    repository: Some("Octo/*".to_owned()),
                    ..Rule::default()
                },
                Rule { sinks: vec!["good".to_owned()], kinds: vec![Kind::Healed], ..Rule::default() },
            ],
            recipients: vec![recipient("ops"), recipient("shop"), recipient("good"), recipient("nobody")],
        }
    }

    fn told(routes: &Routes, notice: &Notice, sent: u32) -> Vec<(String, When)> {
        routes.told_of(notice).map(|to| (to.name.clone(), to.when(notice, 5 * HOUR + 7, sent))).collect()
    }

    #[test]
    fn each_is_told_once_of_what_is_meant_for_them() {
        let routes = routes();
        let stuck = Notice { kind: Kind::Stuck, ..notice() };
        let now = |names: &[&str]| -> Vec<(String, When)> {
            names.iter().map(|name| ((*name).to_owned(), When::Now)).collect()
        };
        assert_eq!(told(&routes, &stuck, 0), now(&["ops", "shop"]));
        assert_eq!(
            told(&routes, &Notice { repository: Some("octopus/x".to_owned()), ..stuck.clone() }, 0),
            now(&["ops"])
        );
        assert_eq!(told(&routes, &Notice { repository: None, ..stuck }, 0), now(&["ops"]));
        assert_eq!(told(&routes, &notice(), 0), now(&["good"]));
    }

    #[test]
    fn too_many_wait_for_the_summary_and_what_is_critical_does_not() {
        let routes = routes();
        let person = Notice { kind: Kind::NeedsPerson, repository: None, ..notice() };
        let summary = When::Summary(5 * HOUR, 6 * HOUR);
        assert_eq!(told(&routes, &person, 1), [("ops".to_owned(), When::Now)]);
        assert_eq!(told(&routes, &person, 2), [("ops".to_owned(), summary)]);
        assert_eq!(
            told(&routes, &Notice { kind: Kind::Stuck, ..person }, 2),
            [("ops".to_owned(), When::Now)]
        );
    }

    #[test]
    fn the_same_subject_has_one_key_within_its_time() {
        let to = &routes().recipients[0];
        let at = |at| to.key(&Notice { at, id: format!("{at}"), ..notice() });
        assert_eq!(at(10 * HOUR), at(10 * HOUR + HOUR - 1));
        assert_ne!(at(10 * HOUR), at(11 * HOUR));
        let always = Recipient { once_in: 0, ..to.clone() };
        assert_ne!(always.key(&Notice { id: "a".to_owned(), ..notice() }), always.key(&notice()));
    }
}
