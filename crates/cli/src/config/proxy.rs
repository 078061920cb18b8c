//! `[serve.proxy]`: a proxy in front of the server that says who has signed in, and what they may.

use regreen_server::access::{Network, Proxy, Role, proxy_header};
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
        match (group, user) {
            (Some(group), None) if proxy.groups.is_some() => proxy.by_group.insert(group.clone(), of),
            (None, Some(user)) => proxy.by_user.insert(user.clone(), of),
            (Some(_), None) => {
                return Err(bad(place, text, word, "a rule for a group needs groups-header"));
            }
            _ => return Err(bad(place, text, word, "a rule is for one group or one user")),
        };
    }
    Ok(proxy)
}
