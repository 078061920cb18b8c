//! `regreen init`: writes the files by which a repository is protected, shows a diff first, and keeps what was edited.

mod github;
mod gitlab;
mod install;
mod merge;
mod template;
mod written;

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use regreen_domain::Mode;
use regreen_engine::unified;
use regreen_show::harmless::harmless;
use regreen_tools::git;

use self::{
    github::Choice,
    install::Install,
    written::{New, Place, Side},
};
use crate::{
    args::{Every, Init, InitArgs, InitGithubArgs, InitGitlabArgs},
    context::{Context, runtime},
    exit::{FINE, Failed, NOTHING_TO_READ, PROBLEMS, REFUSED, WAITING},
    output::print::print,
    voice,
};

/// Writes them.
pub fn init(context: &Context, command: &Init) -> Result<u8, Failed> {
    let root = repository(context)?;
    match command {
        Init::Github(args) => github(context, &root, args),
        Init::Gitlab(args) => gitlab(context, &root, args),
    }
}

fn github(context: &Context, root: &Path, args: &InitGithubArgs) -> Result<u8, Failed> {
    let unread = |e: io::Error| Failed::new(NOTHING_TO_READ, format!(".github/workflows: {e}"));
    let workflows = github::workflows(root).map_err(unread)?;
    if workflows.is_empty() {
        let what = "there is no workflow in .github/workflows that could fail";
        return Err(Failed::new(NOTHING_TO_READ, what).help("write one first, and run this again"));
    }
    let place = Place::new(root, github::WORKFLOW);
    let was = place.last()?.as_deref().and_then(Every::of_workflow);
    let choice = Choice {
        mode: args.mode,
        issues: args.issues,
        commit_metrics: args.commit_metrics,
        every: args.every.or(was).unwrap_or_default(),
        install: Install::of_this(),
    };
    let came = offer(context, &args.how, &place, "github", &github::text(&choice, &workflows))?;
    if came == Came::Written {
        let next = match args.mode {
            Mode::Observe => {
                "it changes nothing until the repository variable REGREEN_MODE is suggest, approve or auto"
            }
            Mode::Suggest | Mode::Approve | Mode::Auto => {
                "the repository variable REGREEN_MODE can say another mode"
            }
        };
        let next = format!("commit it, with {}; its mode is {}, {next}", place.base_name, args.mode.id());
        voice::progress(context, &next);
        say_what_it_wants(context, &choice.install);
    }
    Ok(came.code())
}

fn gitlab(context: &Context, root: &Path, args: &InitGitlabArgs) -> Result<u8, Failed> {
    let place = Place::new(root, gitlab::FILE);
    let install = Install::of_this();
    let came = offer(context, &args.how, &place, "gitlab", &gitlab::text(args.mode, &install))?;
    if came == Came::Written {
        let next = format!(
            "commit it, with {}, and name it in .gitlab-ci.yml: `include: [{{ local: {} }}]`; then make a pipeline schedule with the \
             variable REGREEN_HEAL=true, and a project access token (scope `api`, role Developer) as the masked, protected \
             variable REGREEN_GITLAB_TOKEN",
            place.base_name, place.name
        );
        voice::progress(context, &next);
        say_what_it_wants(context, &install);
    }
    Ok(came.code())
}

fn say_what_it_wants(context: &Context, install: &Install) {
    if let Some(wants) = install.wants() {
        voice::progress(context, &wants);
    }
}

/// The top of the repository that this is started in.
fn repository(context: &Context) -> Result<PathBuf, Failed> {
    let workspace = context.workspace()?;
    let top = runtime()?.block_on(git::top(&workspace));
    top.ok_or_else(|| {
        let what = format!("{} is in no git repository", workspace.root.display());
        Failed::new(NOTHING_TO_READ, what)
            .help("change into the repository that is to be protected, or `git init` one")
    })
}

/// Shows what would change in a file, asks, and writes it.
fn offer(context: &Context, how: &InitArgs, place: &Place, kind: &str, text: &str) -> Result<Came, Failed> {
    let new = written::of(kind, text);
    let before = place.read()?;
    let side = match (how.replace, how.keep) {
        (true, _) => Side::New,
        (false, true) => Side::Kept,
        (false, false) => Side::Both,
    };
    let after = match place.with(before.as_deref(), &new, side)? {
        New::Text(after) => after,
        New::Foreign => {
            let what = format!("{} is there already, and `regreen init {kind}` did not write it", place.name);
            return Err(Failed::new(REFUSED, what)
                .help("move it away first, or let it be overwritten with --replace"));
        }
        New::NoBase => {
            let what = format!(
                "{} was edited, and what it was before lies in {} no more",
                place.name, place.base_name
            );
            return Err(Failed::new(REFUSED, what)
                .help("bring that file back from git's history, or give up the edits with --replace"));
        }
        New::Conflicts(shown) => {
            print(&shown)?;
            let what = format!("{} was edited where it is to change; nothing was written", place.name);
            return Err(Failed::new(PROBLEMS, what)
                .help("write what you want into the file and say --keep, which keeps its side of each conflict shown above; or give up all edits with --replace"));
        }
    };
    if before.as_deref() == Some(after.as_str()) && place.base()?.as_deref() == Some(new.as_str()) {
        voice::progress(context, &format!("{} is up to date", place.name));
        return Ok(Came::Shown);
    }
    print(&unified(&place.name, before.as_deref().unwrap_or_default(), &after))?;
    if how.dry_run {
        return Ok(Came::Shown);
    }
    if !how.yes && !agreed(context, &place.name)? {
        voice::warning(context, "nothing was written");
        return Ok(Came::NotAgreed);
    }
    place.write(before.as_deref(), &after, &new)?;
    voice::progress(context, &format!("{} is written", place.name));
    Ok(Came::Written)
}

/// What came of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// It is as it should be, or that was only to be shown.
    Shown,
    /// Nobody could be asked, or said no.
    NotAgreed,
    /// It is written.
    Written,
}

impl Came {
    fn code(self) -> u8 {
        match self {
            Came::Shown | Came::Written => FINE,
            Came::NotAgreed => WAITING,
        }
    }
}

/// Whether a person at the terminal wants it written; nobody else is asked.
fn agreed(context: &Context, name: &str) -> Result<bool, Failed> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        voice::progress(context, "say --yes to have it written: nobody can be asked here");
        return Ok(false);
    }
    let failed = |e: io::Error| Failed::new(NOTHING_TO_READ, format!("the answer: {e}"));
    let mut err = io::stderr().lock();
    err.write_all(format!("Write {}? [y/N] ", harmless(name)).as_bytes())
        .and_then(|()| err.flush())
        .map_err(failed)?;
    drop(err);
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
