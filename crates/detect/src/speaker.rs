//! Who speaks in a line: the tool that was started, or the project's own tests and scripts.

use regreen_catalog::{Banner, Pattern, Speaks};
use regreen_domain::{CommandFacts, CommandKind, FailureClass, Tool};

/// Who speaks at each line of a window.
#[derive(Debug, Clone, Default)]
pub(crate) struct Speakers {
    command: Option<CommandFacts>,
    /// (line of the banner, what runs from the next line on), in order.
    banners: Vec<(u64, CommandKind)>,
    /// (line, who says there that what it had started failed).
    ended: Vec<(u64, Tool)>,
}

impl Speakers {
    pub(crate) fn new(command: Option<&CommandFacts>) -> Speakers {
        let command = command.filter(|c| c.kind != CommandKind::Opaque).cloned();
        Speakers { command, ..Speakers::default() }
    }

    pub(crate) fn banner(&mut self, line: u64, banner: &Banner) {
        match banner.speaks {
            Speaks::After => self.banners.push((line, banner.kind)),
            Speaks::Before => self.ended.extend(banner.tools.iter().map(|tool| (line, tool.clone()))),
        }
    }

    /// Whether this line can be the word of the tool whose pattern it is. Code evidence counts whoever says it:
    /// the mistake that it can lead to is to do nothing.
    pub(crate) fn may_say(&self, line: u64, pattern: &Pattern) -> bool {
        if matches!(pattern.class, FailureClass::Code(_)) {
            return true;
        }
        let is_of_the_tool = |tool: &Tool| pattern.tools.contains(tool);
        let own_tool = pattern.tools.is_empty() || self.tool().is_none_or(is_of_the_tool);
        let own_kind = match (self.banner_before(line), self.kind_of_command()) {
            _ if pattern.commands.is_empty() => true,
            _ if self.ended.iter().any(|(at, tool)| line < *at && is_of_the_tool(tool)) => false,
            // What the tool has started speaks, and not the tool.
            (Some(CommandKind::Opaque), _) if self.tool().is_some_and(is_of_the_tool) => false,
            (Some(kind), _) | (None, Some(kind)) => pattern.commands.contains(&kind),
            (None, None) => true,
        };
        own_tool && own_kind
    }

    fn tool(&self) -> Option<&Tool> {
        self.command.as_ref().and_then(|command| command.tool.as_ref())
    }

    /// Whether a banner says that the project's own tests or scripts speak at this line.
    pub(crate) fn project_speaks(&self, line: u64) -> bool {
        matches!(self.banner_before(line), Some(CommandKind::Test | CommandKind::Opaque))
    }

    /// What the last banner before this line says that runs there.
    fn banner_before(&self, line: u64) -> Option<CommandKind> {
        let before = self.banners.partition_point(|(at, _)| *at < line);
        before.checked_sub(1).and_then(|i| self.banners.get(i)).map(|(_, kind)| *kind)
    }

    /// What runs until the first banner; `None` where nothing is known.
    fn kind_of_command(&self) -> Option<CommandKind> {
        self.command.as_ref().map(|command| match command.kind {
            // Until its banner, such a command speaks for itself: it fetches and builds.
            CommandKind::Test if command.fetches => CommandKind::Build,
            // A script of the project's, which need not be announced: `yarn --silent build`.
            CommandKind::Build if command.tool.as_ref().is_some_and(builds_by_script) => CommandKind::Test,
            kind => kind,
        })
    }
}

/// Whether what this tool calls a build is a script of the project's, and the tool itself fetches nothing for it.
fn builds_by_script(tool: &Tool) -> bool {
    ["npm", "pnpm", "yarn", "bun", "composer"].contains(&tool.as_str())
}
