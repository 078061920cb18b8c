//! Version 1 of the shape of a token: one object a line. Never its text, nor its digest.

use regreen_ledger::Token;
use serde::Serialize;

use super::print::{line, moment, table};

#[derive(Debug, Serialize)]
struct TokenV1<'a> {
    version: u32,
    id: &'a str,
    name: &'a str,
    role: &'a str,
    repository: Option<&'a str>,
    state: &'static str,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

/// One object a line.
pub fn json(tokens: &[Token], now: i64) -> String {
    tokens.iter().map(|token| line(&shape(token, now))).collect()
}

/// A line a token.
pub fn plain(tokens: &[Token], now: i64) -> String {
    let row = |token: &Token| {
        let shape = shape(token, now);
        let ends = match (&shape.revoked_at, &shape.expires_at) {
            (Some(at), _) => format!("taken away {at}"),
            (None, Some(at)) if shape.state == "ended" => format!("ended {at}"),
            (None, Some(at)) => format!("until {at}"),
            (None, None) => "until it is taken away".to_owned(),
        };
        let used = shape.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {at}"));
        let role =
            shape.repository.map_or_else(|| token.role.clone(), |of| format!("{} of {of}", token.role));
        [token.name.clone(), role, token.id.clone(), used, ends]
    };
    table(&tokens.iter().map(row).collect::<Vec<_>>())
}

fn shape(token: &Token, now: i64) -> TokenV1<'_> {
    let state = match token.revoked_at {
        Some(_) => "revoked",
        None if token.counts(now) => "good",
        None => "ended",
    };
    TokenV1 {
        version: 1,
        id: &token.id,
        name: &token.name,
        role: &token.role,
        repository: Some(token.repository.as_str()).filter(|name| !name.is_empty()),
        state,
        created_at: moment(token.created_at),
        expires_at: token.expires_at.map(moment),
        last_used_at: token.last_used_at.map(moment),
        revoked_at: token.revoked_at.map(moment),
    }
}
