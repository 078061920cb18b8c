//! What can be typed about tokens: who may read and act over HTTP.

use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum, builder::NonEmptyStringValueParser};

use super::{Format, WhichLedger, which::beside_the_fleet};

/// What `token` does.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make one: it is printed once, and kept nowhere
    Create(CreateArgs),
    /// Every token, with what it may do and when it was last used
    #[command(after_help = "Example:\n  regreen token list --format json")]
    #[command(mut_arg("ledger", beside_the_fleet))]
    List {
        /// How to say it
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        format: Format,
        #[command(flatten)]
        at: WhichLedger,
    },
    /// Take one away, with every browser that signed in by it
    #[command(after_help = "Example:\n  regreen token revoke grafana")]
    #[command(mut_arg("ledger", beside_the_fleet))]
    Revoke {
        /// Its name or id
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        token: String,
        #[command(flatten)]
        at: WhichLedger,
    },
}

/// Arguments of `token create`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen token create --name grafana > /etc/grafana/regreen-token\n  \
                  regreen token create --name ann --role operator --expires-in 30d\n  \
                  regreen token create --name shop-ci --for-repository octo-org/shop\n\n\
                  It is shown as `Authorization: Bearer TOKEN`. The ledger keeps a digest of it alone, so it can't be\n\
                  shown again.")]
#[command(mut_arg("ledger", beside_the_fleet))]
pub struct CreateArgs {
    /// By which people know it; the audit log names what is done by it `token:NAME`
    #[arg(long, value_parser = name)]
    pub name: String,
    /// What it may do
    #[arg(long, value_enum, default_value_t = TokenRole::Viewer)]
    pub role: TokenRole,
    /// It is a job's of this repository: `regreen run --server` asks and tells by it, of no other one
    #[arg(long, value_name = "OWNER/NAME", conflicts_with = "role", value_parser = super::serve::repository)]
    pub for_repository: Option<regreen_forge::Repository>,
    /// How long it counts, at most ten years
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = lasting)]
    pub expires_in: Duration,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenRole {
    /// Read
    Viewer,
    /// Also approve, deny, roll back, pause and the like
    Operator,
    /// Whatever there is
    Admin,
}

fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    let good = (1..=64).contains(&text.len()) && text.chars().all(plain);
    good.then(|| text.to_owned())
        .ok_or_else(|| "a name has 1 to 64 letters, digits, or any of -_.@".to_owned())
}

fn lasting(text: &str) -> Result<Duration, String> {
    let lasting = humantime::parse_duration(text).map_err(|e| e.to_string())?;
    let good = (Duration::from_secs(60)..=Duration::from_secs(3653 * 86_400)).contains(&lasting);
    good.then_some(lasting).ok_or_else(|| "a token counts for 1m to 10y".to_owned())
}
