//! What people are told.

use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A failure was healed.
    Healed,
    /// What was tried did not help, and was taken back.
    RolledBack,
    /// Something could not be taken back.
    Stuck,
    /// A failure of the infrastructure is left to people.
    NeedsPerson,
    /// A person's word is waited for.
    AwaitingApproval,
    /// A service is down for several repositories.
    OutageBegan,
    /// It is back.
    OutageEnded,
    /// Several things, in few words.
    Digest,
    /// Nothing; somebody tries whether they are told.
    Test,
}

/// How much it matters to somebody who sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look during the day.
    Warning,
    /// Somebody must look.
    Critical,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 9] = [
        Kind::Healed,
        Kind::RolledBack,
        Kind::Stuck,
        Kind::NeedsPerson,
        Kind::AwaitingApproval,
        Kind::OutageBegan,
        Kind::OutageEnded,
        Kind::Digest,
        Kind::Test,
    ];

    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            Kind::Healed => "healed",
            Kind::RolledBack => "rolled-back",
            Kind::Stuck => "stuck",
            Kind::NeedsPerson => "needs-person",
            Kind::AwaitingApproval => "awaiting-approval",
            Kind::OutageBegan => "outage-began",
            Kind::OutageEnded => "outage-ended",
            Kind::Digest => "digest",
            Kind::Test => "test",
        }
    }

    /// The kind with this id.
    pub fn parse(id: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// How much it matters.
    pub const fn severity(self) -> Severity {
        match self {
            Kind::Healed | Kind::OutageEnded | Kind::Digest | Kind::Test => Severity::Info,
            Kind::RolledBack | Kind::NeedsPerson | Kind::AwaitingApproval | Kind::OutageBegan => {
                Severity::Warning
            }
            Kind::Stuck => Severity::Critical,
        }
    }

    /// In a person's words.
    pub const fn words(self) -> &'static str {
        match self {
            Kind::Healed => "Healed",
            Kind::RolledBack => "Tried, and taken back",
            Kind::Stuck => "Stuck: a person must look",
            Kind::NeedsPerson => "Needs a person",
            Kind::AwaitingApproval => "Waits for approval",
            Kind::OutageBegan => "Outage began",
            Kind::OutageEnded => "Outage ended",
            Kind::Digest => "Summary",
            Kind::Test => "Test",
        }
    }
}

/// What happened, in plain text: no markup of any kind is meant by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Names it for good: the same for whoever tells it, however often.
    pub id: String,
    /// What happened.
    pub kind: Kind,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// One line: what a person sees first.
    pub title: String,
    /// A few lines more, each of its own.
    pub lines: Vec<String>,
    /// The line of the log that tells the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// `owner/name` at the CI host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The failure's class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// How sure the diagnosis is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The incident's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// What belongs together: the same failure again, the same outage.
    pub subject: String,
    /// Where to look: the run at its CI host, or the dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Notice {
    /// Several notices in one: how many of each kind, and the first ones.
    pub fn summary(of: &[Notice]) -> Notice {
        const SHOWN: usize = 15;
        let count = |kind: Kind| of.iter().filter(|notice| notice.kind == kind).count();
        let counts: Vec<String> = Kind::ALL
            .into_iter()
            .map(|kind| (count(kind), kind))
            .filter(|(count, _)| *count > 0)
            .map(|(count, kind)| format!("{count} × {}", kind.words().to_lowercase()))
            .collect();
        let mut lines: Vec<String> = of
            .iter()
            .take(SHOWN)
            .map(|notice| format!("{}: {}", notice.kind.words(), short(&notice.title, 150)))
            .collect();
        if let Some(more) = of.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            lines.push(format!("… and {more} more"));
        }
        let ids: Vec<&str> = of.iter().map(|notice| notice.id.as_str()).collect();
        let first = ids.iter().min().copied().unwrap_or_default();
        Notice {
            id: format!("digest/{}/{first}", of.len()),
            kind: Kind::Digest,
            at: of.iter().map(|notice| notice.at).max().unwrap_or_default(),
            title: counts.join(", "),
            lines,
            evidence: None,
            repository: None,
            class: None,
            confidence: None,
            incident: None,
            subject: format!("digest/{first}"),
            link: None,
        }
    }

    /// The link, where it is a plain web address.
    pub(crate) fn safe_link(&self) -> Option<&str> {
        self.link.as_deref().filter(|link| {
            (link.starts_with("https://") || link.starts_with("http://"))
                && link
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'|' | b'"' | b'\\'))
        })
    }

    /// What it is about, a word each with its meaning: for those who show a table.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let confidence = self.confidence.map(|sure| format!("{:.0} %", sure * 100.0));
        [
            ("Repository", self.repository.clone()),
            ("Class", self.class.clone()),
            ("Confidence", confidence),
            ("Incident", self.incident.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect()
    }
}

/// The first characters of a text that is longer than so many.
pub(crate) fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn notice() -> Notice {
        Notice {
            id: "healed/ab12".to_owned(),
            kind: Kind::Healed,
            at: 1_800_000_000_000,
            title: "octo/shop: network-timeout healed".to_owned(),
            lines: vec![
                "npm ci ran again and passed".to_owned(),
                "<!channel> *bold* [x](http://evil)".to_owned(),
            ],
            evidence: Some("npm error code ECONNRESET <https://evil|click>".to_owned()),
            repository: Some("octo/shop".to_owned()),
            class: Some("network-timeout".to_owned()),
            confidence: Some(0.974),
            incident: Some("ab12".to_owned()),
            subject: "f00d".to_owned(),
            link: Some("https://ci.example/octo/shop/runs/1".to_owned()),
        }
    }

    #[test]
    fn every_kind_is_known_by_its_id() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.id()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.id());
        }
    }

    #[test]
    fn a_summary_counts_what_it_leaves_out() {
        let person = |i: usize| Notice { kind: Kind::NeedsPerson, id: format!("{i:02}"), ..notice() };
        let all: Vec<Notice> = (0..20).map(person).chain([notice()]).collect();
        let summary = Notice::summary(&all);
        assert_eq!(summary.title, "1 × healed, 20 × needs a person");
        assert_eq!((summary.lines.len(), summary.lines[15].as_str()), (16, "… and 6 more"));
        assert_eq!(Notice::summary(&all[..2]).lines.len(), 2);
    }

    #[test]
    fn only_a_plain_web_address_is_a_link() {
        for bad in [
            "javascript:alert(1)",
            "https://a|b",
            "https://a b",
            "https://a>b",
            "ftp://a",
            "https://a\u{202e}",
        ] {
            assert_eq!(Notice { link: Some(bad.to_owned()), ..notice() }.safe_link(), None, "{bad}");
        }
        assert!(notice().safe_link().is_some());
    }
}
