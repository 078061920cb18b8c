//! `[serve.proxy]`: a proxy in front of the server that says who has signed in, and what they may.

use regreen_server::access::{Network, Proxy, Role, is_proxy_name, proxy_header};
use serde::Deserialize;
use toml::Spanned;

use super::bad;
use crate::exit::Failed;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ProxyFile {
    user_header: Spanned<String>,
    groups_header: Option<Spanned<String>>,
    trusted: Spanned<Vec<Spanned<String>>>,
    role: Option<Spanned<String>>,
    #[serde(default)]
    rule: Vec<RuleFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    group: Option<String>,
    user: Option<String>,
    role: Spanned<String>,
}

/// What the file says.
pub(super) fn take(place: &str, text: &str, file: &ProxyFile) -> Result<Proxy, Failed> {
    let header = |name: &Spanned<String>| {
        let why = "this is no header that a proxy sets to say who has signed in, e.g. \"X-Forwarded-User\"";
        proxy_header(name.get_ref()).ok_or_else(|| bad(place, text, name, why))
    };
    let role = |word: &Spanned<String>| {
        let why = "role is one of viewer, operator, admin";
        Role::parse(word.get_ref()).ok_or_else(|| bad(place, text, word, why))
    };
    if file.trusted.get_ref().is_empty() {
        return Err(bad(place, text, &file.trusted, "name the proxy's address, e.g. [\"10.0.0.7\"]"));
    }
    let from = file.trusted.get_ref().iter().map(|network| {
        let why = "this is no address or network, e.g. \"10.0.0.7\" or \"10.1.0.0/16\", with nothing beyond its length; \
                   all of the internet is never trusted";
        Network::parse(network.get_ref()).ok_or_else(|| bad(place, text, network, why))
    });
    let mut proxy = Proxy {
        user: header(&file.user_header)?,
        groups: file.groups_header.as_ref().map(header).transpose()?,
        from: from.collect::<Result<_, _>>()?,
        by_group: Default::default(),
        by_user: Default::default(),
        otherwise: file.role.as_ref().map(role).transpose()?,
    };
    if let Some(groups) = file.groups_header.as_ref().filter(|_| proxy.groups.as_ref() == Some(&proxy.user)) {
        return Err(bad(place, text, groups, "this header names the person already"));
    }
    for rule in &file.rule {
        let RuleFile { group, user, role: word } = rule;
        let of = role(word)?;
        let is_group = |name: &str| !name.is_empty() && name.trim() == name && !name.contains(',');
        let wrong = match (group, user) {
            (Some(_), None) if proxy.groups.is_none() => Some("a rule for a group needs groups-header"),
            (Some(group), None) if !is_group(group) => Some(
                "no group is called so: groups are separated by commas, and blanks around them are nothing",
            ),
            (None, Some(user)) if !is_proxy_name(user) => {
                Some("nobody can be called so: a name has letters, digits and -_.@+|, at most 128 of them")
            }
            (Some(group), None) => {
                let before = proxy.by_group.insert(group.clone(), of);
                before.map(|_| "there is a rule for this group already")
            }
            // Mail addresses, which names mostly are, are told apart by case nowhere.
            (None, Some(user)) => {
                let before = proxy.by_user.insert(user.to_ascii_lowercase(), of);
                before.map(|_| "there is a rule for this user already, whose name is told apart by no case")
            }
            _ => Some("a rule is for one group or one user"),
        };
        if let Some(wrong) = wrong {
            return Err(bad(place, text, word, wrong));
        }
    }
    Ok(proxy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Proxy, String> {
        let file = toml::from_str::<ProxyFile>(text).map_err(|e| e.to_string())?;
        take("config.toml", text, &file).map_err(|e| e.to_string())
    }

    const GOOD: &str = "user-header = \"X-Forwarded-User\"\ngroups-header = \"X-Forwarded-Groups\"\n\
                        trusted = [\"10.0.0.7\", \"fd00::/64\"]\n";

    #[test]
    fn who_is_trusted_and_what_they_may_is_said_in_full() {
        let proxy =
            read(&format!("{GOOD}role = \"viewer\"\n[[rule]]\ngroup = \"ops\"\nrole = \"operator\"\n"))
                .unwrap();
        assert_eq!(
            (proxy.user.as_str(), proxy.from.len(), proxy.otherwise),
            ("x-forwarded-user", 2, Some(Role::Viewer))
        );
        assert_eq!(proxy.by_group.get("ops"), Some(&Role::Operator));
        assert_eq!(read(GOOD).unwrap().otherwise, None, "nobody may unless it says so");
    }

    #[test]
    fn what_would_trust_too_much_or_nobody_is_refused() {
        let user = "user-header = \"X-Forwarded-User\"\n";
        for (text, want) in [
            (format!("{user}trusted = []"), "name the proxy's address"),
            (format!("{user}trusted = [\"0.0.0.0/0\"]"), "all of the internet is never trusted"),
            (format!("{user}trusted = [\"10.0.0.7/8\"]"), "this is no address or network"),
            (user.to_owned(), "missing field `trusted`"),
            ("user-header = \"Authorization\"\ntrusted = [\"10.0.0.7\"]".to_owned(), "this is no header"),
            ("user-header = \"a b\"\ntrusted = [\"10.0.0.7\"]".to_owned(), "this is no header"),
            (format!("{GOOD}role = \"root\""), "role is one of"),
            (format!("{GOOD}[[rule]]\nrole = \"admin\""), "a rule is for one group or one user"),
            (
                format!("{user}trusted = [\"10.0.0.7\"]\n[[rule]]\ngroup = \"a\"\nrole = \"admin\""),
                "needs groups-header",
            ),
            (format!("{GOOD}[[rule]]\ngroup = \"a,b\"\nrole = \"admin\""), "no group is called so"),
            (format!("{GOOD}[[rule]]\nuser = \"ann b\"\nrole = \"admin\""), "nobody can be called so"),
            (
                format!(
                    "{GOOD}[[rule]]\nuser = \"Ann\"\nrole = \"admin\"\n[[rule]]\nuser = \"ann\"\nrole = \"viewer\""
                ),
                "a rule for this user already",
            ),
            (GOOD.replace("X-Forwarded-Groups", "x-forwarded-user"), "names the person already"),
        ] {
            let said = read(&text).unwrap_err();
            assert!(said.contains(want), "{text}\n{said}");
        }
    }
}
