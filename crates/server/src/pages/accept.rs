//! A draft completed and accepted, and its way back. What was typed is not lost where something is wrong with it.

use askama::Template;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{Response, StatusCode},
};
use regreen_domain::FailureClass;
use regreen_propose::{Draft, Rest, Suggestion, Words};

use super::{
    Shared,
    answer::{Failed, Frame, html, page as answer},
    form::{Form, Hand},
    incidents::{Choices, classes},
    params::segment,
    reader::{Reader, Said},
    suggested::{DraftRow, Look, drafts},
    words::shown,
};
use crate::act::{self, NotAccepted};

/// The drafts to choose another one from.
const DRAFTS: &str = "/patterns/suggested";
/// Stands in the field for where such words mean nothing, as every draft has a proof of that.
const ELSEWHERE: &str = "A test prints the line as what it expects.";

#[derive(Template)]
#[template(path = "accept.html")]
struct AcceptPage {
    frame: Frame,
    row: DraftRow,
    /// The expression, as the form sends it back; and as it is shown.
    line: String,
    looks_for: String,
    typed: Typed,
    classes: Vec<Choices>,
    /// What was wrong with what was typed.
    wrong: Vec<String>,
}

/// What stands in the fields.
struct Typed {
    name: String,
    title: String,
    explain: String,
    fix: String,
    elsewhere: String,
    class: FailureClass,
}

/// Asks for what only a person can say.
pub(super) async fn ask(
    State(house): Shared,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failed> {
    reader.actor()?;
    let look = drafts(&house).await?;
    let found = look.suggestions.iter().find(|one| one.draft.id == id);
    let suggestion = found.ok_or(Failed::NoSuchThing("draft", id))?;
    let typed = Typed {
        name: suggestion.draft.id.clone(),
        title: String::new(),
        explain: String::new(),
        fix: String::new(),
        elsewhere: ELSEWHERE.to_owned(),
        class: suggestion.draft.class,
    };
    answer(&AcceptPage::of(&reader, &look, suggestion, typed, Vec::new()))
}

/// Accepts it.
pub(super) async fn accept(
    State(house): Shared,
    reader: Reader,
    Path(id): Path<String>,
    hand: Hand,
) -> Result<Response<Body>, Failed> {
    let typed = Typed::of(&hand.form)?;
    let look = drafts(&house).await?;
    // What was seen, and not what became of it.
    let seen = |one: &&Suggestion| one.draft.id == id && one.draft.expression == hand.form.get("line");
    let Some(suggestion) = look.suggestions.iter().find(seen) else {
        let what = "That draft is no longer there: its failures are named by now, or read otherwise. Nothing was done.";
        return Err(Failed::TooLate { what: what.to_owned(), back: DRAFTS.to_owned() });
    };
    let text = typed.complete(&look, suggestion).write().text;
    let (ledger, catalog) = (house.writes(), &house.pages.catalog);
    let accepted = act::accept(ledger, catalog, &text, &hand.actor, house.now()).await;
    let wrong = match accepted.map_err(|e| house.failed(&e))? {
        Ok(name) => {
            house.did();
            return Ok(hand.done(&format!("/patterns/{}", segment(&name)), Said::Accepted));
        }
        Err(NotAccepted::Wrong(wrong)) => {
            wrong.iter().map(|one| shown(&format!("{}; {}", one.what, one.help))).collect()
        }
        Err(why) => vec![shown(&why.to_string())],
    };
    let page = AcceptPage::of(&reader, &look, suggestion, typed, wrong);
    let text = page.render().map_err(|_| Failed::Unavailable)?;
    Ok(html(StatusCode::UNPROCESSABLE_ENTITY, text))
}

/// Takes an accepted pattern back.
pub(super) async fn take_back(
    State(house): Shared,
    Path(id): Path<String>,
    hand: Hand,
) -> Result<Response<Body>, Failed> {
    let changed = act::take_back(house.writes(), &id, &hand.actor, house.now()).await;
    house.did();
    let said = match changed.map_err(|e| house.failed(&e))? {
        true => Said::TakenBack,
        false => Said::WasTakenBack,
    };
    Ok(hand.done("/patterns", said))
}

impl AcceptPage {
    fn of(
        reader: &Reader,
        look: &Look,
        suggestion: &Suggestion,
        typed: Typed,
        wrong: Vec<String>,
    ) -> AcceptPage {
        let class = |choices: &Choices| choices.of.iter().any(|class| class.id != FailureClass::Unknown.id());
        AcceptPage {
            frame: Frame::new(reader, "/patterns", ""),
            row: look.row(suggestion),
            line: suggestion.draft.expression.clone(),
            looks_for: shown(&suggestion.draft.expression),
            classes: classes(Some(typed.class)).into_iter().filter(class).collect(),
            typed,
            wrong,
        }
    }
}

impl Typed {
    fn of(form: &Form) -> Result<Typed, Failed> {
        let text = |name| Ok::<_, Failed>(form.words(name)?.unwrap_or_default().to_owned());
        let class = FailureClass::parse(form.get("class")).filter(|class| *class != FailureClass::Unknown);
        Ok(Typed {
            name: text("name")?,
            title: text("title")?,
            explain: text("explain")?,
            fix: text("fix")?,
            elsewhere: text("elsewhere")?,
            class: class.ok_or_else(|| Failed::NotUnderstood("Choose what it is.".to_owned()))?,
        })
    }

    /// The draft with what was typed: whole, where every field was filled.
    fn complete(&self, look: &Look, suggestion: &Suggestion) -> Draft {
        let names: Vec<&str> = look.named(suggestion).collect();
        let said = |text: &str, what: &str| match text {
            "" => format!("{}: {what}", regreen_catalog::TO_FILL_IN),
            text => text.to_owned(),
        };
        let rest = Rest {
            fix: said(&self.fix, "what a person can do"),
            origin: format!("recorded: in incidents beside the fleet, such as {}", names.join(", ")),
            elsewhere: said(&self.elsewhere, "where else such words stand and mean nothing"),
        };
        let words = Words {
            title: said(&self.title, "what happened, in one line"),
            explain: said(&self.explain, "what it means"),
            rest: Some(rest),
        };
        Draft {
            id: self.name.clone(),
            class: self.class,
            class_note: String::new(),
            about: vec![format!("Accepted from a draft: in {} failures.", suggestion.failures.len())],
            words: Some(words),
            ..suggestion.draft.clone()
        }
    }
}
