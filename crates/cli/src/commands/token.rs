//! `regreen token create|list|revoke`: who may read and act over HTTP.

use regreen_forge::Repository;
use regreen_ledger::NewToken;
use regreen_server::access::{JOB, Role, mint};

use crate::{
    args::{CreateArgs, Format, Token, TokenRole, WhichLedger},
    commands::serve,
    context::{Context, runtime},
    exit::{BUG, Failed, NOTHING_TO_READ, REFUSED},
    output::{
        print::print,
        token::{json, plain},
    },
    record::{actor, now},
    voice,
};

/// Does it.
pub fn token(context: &Context, command: &Token) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        match command {
            Token::Create(args) => create(context, args).await,
            Token::List { format, at } => list(context, *format, at).await,
            Token::Revoke { token, at } => revoke(context, token, at).await,
        }
    })
}

async fn create(context: &Context, args: &CreateArgs) -> Result<u8, Failed> {
    let role = match (&args.for_repository, args.role) {
        (Some(_), _) => JOB,
        (None, TokenRole::Viewer) => Role::Viewer.id(),
        (None, TokenRole::Operator) => Role::Operator.id(),
        (None, TokenRole::Admin) => Role::Admin.id(),
    };
    let repository = args.for_repository.as_ref().map(Repository::folded);
    let repository = repository.as_ref().map_or("", Repository::as_str);
    let ledger = serve::open(context, &args.at).await?;
    let made = mint().ok_or_else(|| Failed::new(BUG, "the system gives no random numbers"))?;
    let now = now();
    let until = now.saturating_add(i64::try_from(args.expires_in.as_millis()).unwrap_or(i64::MAX));
    let name = args.name.as_str();
    let new =
        NewToken { id: &made.id, name, role, repository, digest: &made.digest, expires_at: Some(until) };
    if !ledger.create_token(&new, &actor(), now).await? {
        let what = format!("there is a token `{name}` already");
        return Err(Failed::new(REFUSED, what).help(format!("`regreen token revoke {name}` takes it away")));
    }
    voice::progress(context, "this token is shown once, and kept nowhere");
    print(&format!("{}\n", made.text))
}

async fn list(context: &Context, format: Format, at: &WhichLedger) -> Result<u8, Failed> {
    let tokens = serve::open(context, at).await?.tokens().await?;
    match format {
        Format::Json => print(&json(&tokens, now())),
        Format::Plain if tokens.is_empty() => print("there is no token\n"),
        Format::Plain => print(&plain(&tokens, now())),
    }
}

async fn revoke(context: &Context, which: &str, at: &WhichLedger) -> Result<u8, Failed> {
    let ledger = serve::open(context, at).await?;
    match ledger.revoke_token(which, &actor(), now()).await? {
        Some(token) => print(&format!("taken away: {} ({})\n", token.name, token.id)),
        None => Err(Failed::new(NOTHING_TO_READ, format!("there is no token `{which}` that counts"))
            .help("`regreen token list` shows what there is")),
    }
}
