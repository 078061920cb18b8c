//! `regreen patterns list|show|test|new|suggest|import|accept|take-back|schema`.

use regreen_catalog::{Catalog, pattern_schema};

use crate::{
    args::{Format, Patterns, WhichPatterns},
    commands::{accept, drafts, import, prove, suggest},
    context::Context,
    custom::{self, Known},
    exit::{FINE, Failed, INVALID, NOTHING_TO_READ},
    output::{
        known::{pattern_plain, patterns_json, patterns_plain},
        print::print,
    },
    voice,
};

/// Lists, shows or proves.
pub fn patterns(context: &Context, command: &Patterns) -> Result<u8, Failed> {
    match command {
        Patterns::New(args) => drafts::new(context, args),
        Patterns::Suggest(args) => suggest::suggest(context, args),
        Patterns::Import(args) => import::run(context, args),
        Patterns::Accept(args) => accept::accept(context, args),
        Patterns::TakeBack(args) => accept::take_back(context, args),
        Patterns::Schema => print(&format!("{:#}\n", pattern_schema())),
        Patterns::Test { files, which } => {
            let (catalog, _) = known(context, which)?;
            prove::test(context, &catalog, files)
        }
        Patterns::List { format, which } => {
            let (catalog, left_out) = known(context, which)?;
            print(&match format {
                Format::Plain => patterns_plain(catalog.patterns()),
                Format::Json => patterns_json(catalog.patterns()),
            })?;
            Ok(left_out)
        }
        Patterns::Show { id, format, which } => {
            let (catalog, _) = known(context, which)?;
            let pattern = catalog.pattern(id).ok_or_else(|| {
                Failed::new(NOTHING_TO_READ, format!("there is no pattern `{id}`"))
                    .help("`regreen patterns list` shows what there is")
            })?;
            print(&match format {
                Format::Plain => pattern_plain(pattern),
                Format::Json => patterns_json([pattern]),
            })
        }
    }
}

/// Every pattern, and the exit code that says whether one was left out, which is said.
///
/// # Errors
/// A bug: the catalogue in the binary can't be read; or the operator's file that was named.
pub fn known(context: &Context, which: &WhichPatterns) -> Result<(Catalog, u8), Failed> {
    let (given, config) = (which.own.patterns.as_deref(), which.config.as_deref());
    let Known { catalog, warnings } = custom::known_here(context, given, config)?;
    warnings.iter().for_each(|warning| voice::warning(context, warning));
    Ok((catalog, if warnings.is_empty() { FINE } else { INVALID }))
}
