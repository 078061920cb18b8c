//! What can be typed about agents that ask.

use std::path::PathBuf;

use clap::Parser;

use super::{OwnPatterns, WhichLedger};

/// Arguments of `mcp`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example, as an agent's configuration starts it:\n  {\"mcpServers\": {\"regreen\": {\"command\": \"regreen\", \"args\": [\"mcp\"]}}}\n\n\
                  Logs are read below the folder in which it was started, and below --logs; what is answered is masked\n\
                  excerpts. Nothing is changed unless --allow-actions is given."
)]
pub struct McpArgs {
    /// Let agents approve, deny and give feedback too; on record as done by mcp, for the user who started it
    #[arg(long)]
    pub allow_actions: bool,
    /// Another folder whose logs may be read; may be given again
    #[arg(long, value_name = "DIR")]
    pub logs: Vec<PathBuf>,
    #[command(flatten)]
    pub own: OwnPatterns,
    #[command(flatten)]
    pub at: WhichLedger,
}
