//! `[[notify.sink]]` and `[[notify.rule]]` in the operator's file: who is told of what beside the fleet, and how.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use regreen_domain::FailureClass;
use regreen_forge::Repository;
use regreen_notify::{
    Address, Email, Encryption, Kind, PagerDuty, Quiet, Recipient, Routes, Rule, Sink, Slack, Teams, Webhook,
};
use serde::Deserialize;
use toml::Spanned;

use super::{Config, bad};
use crate::{
    context::Context,
    credentials::secret_file,
    exit::{Failed, INVALID},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notifying {
    #[serde(default)]
    sink: Vec<SinkFile>,
    #[serde(default)]
    rule: Vec<RuleFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SinkFile {
    name: Spanned<String>,
    kind: Spanned<String>,
    address_file: Option<PathBuf>,
    secret_file: Option<PathBuf>,
    host: Option<String>,
    port: Option<u16>,
    encryption: Option<Spanned<String>>,
    user: Option<String>,
    from: Option<String>,
    #[serde(default)]
    to: Vec<String>,
    quiet: Option<Spanned<String>>,
    zone: Option<Spanned<String>>,
    per_hour: Option<Spanned<u32>>,
    once_in: Option<Spanned<String>>,
    digest: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    sinks: Vec<Spanned<String>>,
    #[serde(default)]
    events: Vec<Spanned<String>>,
    repository: Option<Spanned<String>>,
    class: Option<Spanned<String>>,
}

/// What `[notify]` says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Notify {
    routes: Routes,
    sinks: Vec<Wanted>,
}

/// A sink whose secrets were not read yet.
#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    name: String,
    /// Where it stands, for complaints.
    place: String,
    way: Way,
}

#[derive(Debug, Clone, PartialEq)]
enum Way {
    Slack(PathBuf),
    Teams(PathBuf),
    Webhook(PathBuf, Option<PathBuf>),
    PagerDuty(PathBuf, Option<PathBuf>),
    Email(Mail),
}

#[derive(Debug, Clone, PartialEq)]
struct Mail {
    host: String,
    port: Option<u16>,
    encryption: Encryption,
    login: Option<(String, PathBuf)>,
    from: String,
    to: Vec<String>,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed = |f: &mut fmt::Formatter<'_>, secret: &Option<PathBuf>| match secret {
            Some(path) => write!(f, ", signed with the secret in {}", path.display()),
            None => Ok(()),
        };
        match self {
            Way::Slack(path) => write!(f, "slack, its address in {}", path.display()),
            Way::Teams(path) => write!(f, "teams, its address in {}", path.display()),
            Way::Webhook(path, secret) => {
                write!(f, "webhook, its address in {}", path.display())?;
                signed(f, secret)
            }
            Way::PagerDuty(key, address) => {
                write!(f, "pagerduty, its key in {}", key.display())?;
                address.iter().try_for_each(|path| write!(f, ", its address in {}", path.display()))
            }
            Way::Email(mail) => {
                let encryption = match mail.encryption {
                    Encryption::Tls => "tls",
                    Encryption::StartTls => "starttls",
                    Encryption::None => "none",
                };
                write!(f, "email from {} to {} over {}", mail.from, mail.to.join(", "), mail.host)?;
                mail.port.iter().try_for_each(|port| write!(f, ":{port}"))?;
                write!(f, ", encryption {encryption}")?;
                mail.login.iter().try_for_each(|(user, path)| {
                    write!(f, ", as {user} with the password in {}", path.display())
                })
            }
        }
    }
}

/// When and how often somebody is told.
fn when(to: &Recipient) -> String {
    let mut said =
        format!("{} an hour, a subject once in {}", to.per_hour, super::effective::span(to.once_in));
    if let Some(quiet) = &to.quiet {
        said += &format!(", quiet {quiet}");
    }
    if let Some(digest) = to.digest {
        said += &format!(", a digest every {}", super::effective::span(digest));
    }
    said
}

const KINDS: &str = "kind is one of slack, teams, webhook, email, pagerduty";

/// Takes over what the file says; the paths in it are relative to `folder`.
pub(super) fn take(
    notify: &mut Notify,
    folder: &Path,
    place: &str,
    text: &str,
    file: &Notifying,
) -> Result<(), Failed> {
    for sink in &file.sink {
        let name = sink.name.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
            return Err(bad(place, text, &sink.name, "name is up to 40 letters, digits, `-`, `_` and `.`"));
        }
        if notify.routes.recipient(name).is_some() {
            return Err(bad(place, text, &sink.name, "a sink of this name stands there already"));
        }
        notify.routes.recipients.push(recipient(place, text, sink)?);
        notify.sinks.push(wanted(folder, place, text, sink)?);
    }
    for rule in &file.rule {
        notify.routes.rules.push(rule_of(notify, place, text, rule)?);
    }
    Ok(())
}

fn recipient(place: &str, text: &str, sink: &SinkFile) -> Result<Recipient, Failed> {
    let span = |v: &Spanned<String>, why: &str| {
        let given = humantime::parse_duration(v.get_ref()).ok();
        let good = given.filter(|t| *t <= Duration::from_secs(7 * 86_400));
        let ms = good.and_then(|t| i64::try_from(t.as_millis()).ok());
        ms.ok_or_else(|| bad(place, text, v, why))
    };
    let zone = sink.zone.as_ref().map_or("UTC", |v| v.get_ref());
    let quiet = match &sink.quiet {
        None => None,
        Some(v) => Some(Quiet::parse(v.get_ref(), zone).map_err(|e| {
            let at = sink.zone.as_ref().filter(|_| e == regreen_notify::BadQuiet::Zone).unwrap_or(v);
            bad(place, text, at, &e.to_string())
        })?),
    };
    let per_hour = match &sink.per_hour {
        None => 20,
        Some(v) => Some(*v.get_ref())
            .filter(|n| (1..=3_600).contains(n))
            .ok_or_else(|| bad(place, text, v, "per-hour is a whole number from 1 to 3600"))?,
    };
    let once_in = sink.once_in.as_ref();
    let once_in = once_in.map(|v| span(v, "once-in is a duration up to 7days, e.g. \"1h\"")).transpose()?;
    let digest = sink.digest.as_ref();
    let digest = digest.map(|v| span(v, "digest is a duration up to 7days, e.g. \"1day\"")).transpose()?;
    let name = sink.name.get_ref().clone();
    let at_once = sink.kind.get_ref() == "pagerduty";
    if at_once && (quiet.is_some() || digest.is_some()) {
        let why = "pagerduty has its own hours: an alert is begun and ended at once, without quiet or digest";
        return Err(bad(place, text, &sink.kind, why));
    }
    Ok(Recipient { name, quiet, per_hour, once_in: once_in.unwrap_or(3_600_000), digest, at_once })
}

fn wanted(folder: &Path, place: &str, text: &str, sink: &SinkFile) -> Result<Wanted, Failed> {
    let file = |path: &Option<PathBuf>, why: &str| {
        path.as_ref().map(|path| folder.join(path)).ok_or_else(|| bad(place, text, &sink.kind, why))
    };
    let secret = sink.secret_file.as_ref().map(|path| folder.join(path));
    let why = "this kind needs address-file, a file with the webhook's address";
    let way = match sink.kind.get_ref().as_str() {
        "slack" => Way::Slack(file(&sink.address_file, why)?),
        "teams" => Way::Teams(file(&sink.address_file, why)?),
        "webhook" => Way::Webhook(file(&sink.address_file, why)?, secret),
        "pagerduty" => {
            let key =
                file(&sink.secret_file, "pagerduty needs secret-file, a file with the integration's key")?;
            Way::PagerDuty(key, sink.address_file.as_ref().map(|path| folder.join(path)))
        }
        "email" => {
            let named = |value: &Option<String>, why: &str| {
                value.clone().ok_or_else(|| bad(place, text, &sink.kind, why))
            };
            let encryption = match &sink.encryption {
                None => Encryption::StartTls,
                Some(v) => match v.get_ref().as_str() {
                    "tls" => Encryption::Tls,
                    "starttls" => Encryption::StartTls,
                    "none" => Encryption::None,
                    _ => return Err(bad(place, text, v, "encryption is one of tls, starttls, none")),
                },
            };
            let login = match (&sink.user, secret) {
                (Some(user), Some(password)) => Some((user.clone(), password)),
                (None, None) => None,
                _ => return Err(bad(place, text, &sink.kind, "user and secret-file go together")),
            };
            Way::Email(Mail {
                host: named(&sink.host, "email needs host, the mail server")?,
                port: sink.port,
                encryption,
                login,
                from: named(&sink.from, "email needs from, the sender's address")?,
                to: sink.to.clone(),
            })
        }
        _ => return Err(bad(place, text, &sink.kind, KINDS)),
    };
    let at = super::position(text, sink.name.span().start);
    Ok(Wanted { name: sink.name.get_ref().clone(), place: format!("{place}{at}"), way })
}

fn rule_of(notify: &Notify, place: &str, text: &str, rule: &RuleFile) -> Result<Rule, Failed> {
    let mut sinks = Vec::new();
    for sink in &rule.sinks {
        if notify.routes.recipient(sink.get_ref()).is_none() {
            return Err(bad(place, text, sink, "no [[notify.sink]] has this name"));
        }
        sinks.push(sink.get_ref().clone());
    }
    let mut kinds = Vec::new();
    for event in &rule.events {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.id()).collect();
        let kind = Kind::parse(event.get_ref()).filter(|kind| !matches!(kind, Kind::Digest | Kind::Test));
        let why = format!("events are among {}", known[..known.len() - 2].join(", "));
        kinds.push(kind.ok_or_else(|| bad(place, text, event, &why))?);
    }
    if let Some(v) = &rule.repository {
        let whole = v.get_ref().strip_suffix("/*").map_or_else(|| v.get_ref().clone(), |o| format!("{o}/x"));
        let why = "repository is \"OWNER/NAME\", or \"OWNER/*\" for all of an owner's";
        Repository::parse(&whole).ok_or_else(|| bad(place, text, v, why))?;
    }
    if let Some(v) = &rule.class {
        let why = || format!("class is one of {}", FailureClass::ALL.map(FailureClass::id).join(", "));
        FailureClass::parse(v.get_ref()).ok_or_else(|| bad(place, text, v, &why()))?;
    }
    let owned = |v: &Option<Spanned<String>>| v.as_ref().map(|v| v.get_ref().clone());
    Ok(Rule { sinks, kinds, repository: owned(&rule.repository), class: owned(&rule.class) })
}

impl Config {
    /// Who is told of what.
    pub(super) fn routes(&self) -> Routes {
        self.notify.routes.clone()
    }

    /// Each sink in words, in the order of the file. What a file of secrets holds is not among them, only which file it is.
    pub(super) fn ways(&self) -> Vec<String> {
        let way = |wanted: &Wanted| match self.notify.routes.recipient(&wanted.name) {
            Some(to) => format!("{}: {}; {}", wanted.name, wanted.way, when(to)),
            None => format!("{}: {}", wanted.name, wanted.way),
        };
        self.notify.sinks.iter().map(way).collect()
    }

    /// The ways out, by name. Reads the files with their secrets.
    ///
    /// # Errors
    /// Where a file can't be read, or what it holds is no address.
    pub fn sinks(&self, context: &Context) -> Result<BTreeMap<String, Sink>, Failed> {
        let mut sinks = BTreeMap::new();
        for wanted in &self.notify.sinks {
            let wrong =
                |why: String| Failed::new(INVALID, format!("{}: sink {}: {why}", wanted.place, wanted.name));
            let address = |path: &Path| {
                let text = secret_file(context, path)?;
                Address::parse(&text).map_err(|e| wrong(format!("{}: {e}", path.display())))
            };
            let sink = match &wanted.way {
                Way::Slack(path) => Sink::Slack(Slack { address: address(path)? }),
                Way::Teams(path) => Sink::Teams(Teams { address: address(path)? }),
                Way::Webhook(path, secret) => {
                    let secret = match secret {
                        Some(path) => Some(Webhook::key(&secret_file(context, path)?)),
                        None => None,
                    };
                    Sink::Webhook(Webhook { address: address(path)?, secret })
                }
                Way::PagerDuty(key, path) => Sink::PagerDuty(PagerDuty {
                    routing_key: secret_file(context, key)?.trim().to_owned(),
                    address: path.as_deref().map(address).transpose()?,
                }),
                Way::Email(mail) => {
                    let login = match &mail.login {
                        Some((user, path)) => {
                            Some((user.clone(), secret_file(context, path)?.trim().to_owned()))
                        }
                        None => None,
                    };
                    let made =
                        Email::new(&mail.host, mail.port, mail.encryption, login, &mail.from, &mail.to);
                    Sink::Email(Box::new(made.map_err(wrong)?))
                }
            };
            sinks.insert(wanted.name.clone(), sink);
        }
        Ok(sinks)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn config(text: &str) -> Result<Config, String> {
        let mut config = Config::default();
        let file = parse("c.toml", text).map_err(|e| e.to_string())?;
        config.take("c.toml", text, &file).map_err(|e| e.to_string())?;
        Ok(config)
    }

    const SLACK: &str = "[[notify.sink]]\nname = \"ops\"\nkind = \"slack\"\naddress-file = \"slack\"\n";

    #[test]
    fn who_is_told_is_what_the_file_says() {
        let text = format!(
            "{SLACK}quiet = \"22:00-07:00\"\nzone = \"Europe/Berlin\"\nper-hour = 5\n\
             [[notify.rule]]\nsinks = [\"ops\"]\nevents = [\"healed\", \"stuck\"]\nrepository = \"octo/*\"\n"
        );
        let routes = config(&text).unwrap().fleet().routes;
        let to = routes.recipient("ops").unwrap();
        assert_eq!((to.per_hour, to.once_in, to.digest, to.quiet.is_some()), (5, 3_600_000, None, true));
        assert_eq!(routes.rules[0].kinds, [Kind::Healed, Kind::Stuck]);
        assert!(config("").unwrap().fleet().routes.recipients.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, want) in [
            ("[[notify.sink]]\nname = \"a b\"\nkind = \"slack\"\n".to_owned(), "c.toml:2:8: name is"),
            ("[[notify.sink]]\nname = \"a\"\nkind = \"pigeon\"\n".to_owned(), "c.toml:3:8: kind is one of"),
            ("[[notify.sink]]\nname = \"a\"\nkind = \"teams\"\n".to_owned(), "c.toml:3:8: this kind needs"),
            (format!("{SLACK}{SLACK}"), "c.toml:6:8: a sink of this name"),
            (format!("{SLACK}quiet = \"late\"\n"), "c.toml:5:9: quiet hours are"),
            (format!("{SLACK}quiet = \"1:00-2:00\"\nzone = \"Mars\"\n"), "c.toml:6:8: the time zone"),
            (format!("{SLACK}per-hour = 0\n"), "c.toml:5:12: per-hour"),
            (format!("{SLACK}[[notify.rule]]\nsinks = [\"other\"]\n"), "c.toml:6:10: no [[notify.sink]]"),
            (format!("{SLACK}[[notify.rule]]\nsinks = [\"ops\"]\nevents = [\"test\"]\n"), "c.toml:7:11: events"),
            (format!("{SLACK}[[notify.rule]]\nsinks = [\"ops\"]\nclass = \"odd\"\n"), "c.toml:7:9: class"),
            (
                "[[notify.sink]]\nname = \"m\"\nkind = \"email\"\nhost = \"h\"\nfrom = \"a@b.c\"\nuser = \"u\"\n".to_owned(),
                "c.toml:3:8: user and secret-file",
            ),
        ] {
            let said = config(&text).unwrap_err();
            assert!(said.starts_with(want), "{said}\n{text}");
        }
    }
}
