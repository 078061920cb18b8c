//! Who speaks in a line: the tool that was started, or the project's own tests and scripts.

use regreen_catalog::Pattern;
use regreen_domain::{CommandFacts, CommandKind, FailureClass};

/// Who speaks at each line of a window.
#[derive(Debug, Clone, Default)]
pub(crate) struct Speakers {
    command: Option<CommandFacts>,
    /// (line of the banner, what runs from the next line on), in order.
    banners: Vec<(u64, CommandKind)>,
}

impl Speakers {
    pub(crate) fn new(command: Option<&CommandFacts>) -> Speakers {
        Speakers { command: command.filter(|c| c.kind != CommandKind::Opaque).cloned(), banners: Vec::new() }
    }

    pub(crate) fn banner(&mut self, line: u64, kind: CommandKind) {
        self.banners.push((line, kind));
    }

    /// Whether this line can be the word of the tool whose pattern it is. Code evidence counts whoever says it:
    /// the mistake that it can lead to is to do nothing.
    pub(crate) fn may_say(&self, line: u64, pattern: &Pattern) -> bool {
        if matches!(pattern.class, FailureClass::Code(_)) {
            return true;
        }
        let own_tool = match self.command.as_ref().and_then(|command| command.tool.as_ref()) {
            Some(tool) => pattern.tools.is_empty() || pattern.tools.contains(tool),
            None => true,
        };
        let own_kind = match self.kind_at(line) {
            Some(kind) => pattern.commands.is_empty() || pattern.commands.contains(&kind),
            None => true,
        };
        own_tool && own_kind
    }

    /// Whether a banner says that the project's own tests or scripts speak at this line.
    pub(crate) fn project_speaks(&self, line: u64) -> bool {
        let before = self.banners.partition_point(|(at, _)| *at < line);
        let last = before.checked_sub(1).and_then(|i| self.banners.get(i));
        last.is_some_and(|(_, kind)| matches!(kind, CommandKind::Test | CommandKind::Opaque))
    }

    /// What runs at this line; `None` where nothing is known.
    fn kind_at(&self, line: u64) -> Option<CommandKind> {
        let before = self.banners.partition_point(|(at, _)| *at < line);
        if let Some((_, kind)) = before.checked_sub(1).and_then(|i| self.banners.get(i)) {
            return Some(*kind);
        }
        self.command.as_ref().map(|command| match command.kind {
            // Until its banner, such a command speaks for itself: it fetches and builds.
            CommandKind::Test if command.fetches => CommandKind::Build,
            kind => kind,
        })
    }
}
