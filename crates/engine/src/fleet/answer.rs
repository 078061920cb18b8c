//! What is answered to a command: one comment on each issue or pull request, edited in place. One that could not be put is
//! work of its own, so that it is put later, and the command is not carried out again for it.

use regreen_forge::{ForgeError, Marker, Repository};

use crate::fleet::{Fleet, Next, command::Order};

/// An answer, as it is to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Where.
    pub repository: Repository,
    /// The number of the issue or pull request.
    pub about: u64,
    /// Whether that is, or may be, a pull or merge request.
    pub on_change: bool,
    /// What it says: masked, and with its place by [`Marker::in_order`].
    pub text: String,
}

/// What came of putting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It stands there, or what is newer does.
    Done,
    /// Not now.
    Later {
        /// In milliseconds since 1970.
        at: i64,
        /// Why.
        why: String,
    },
    /// It can't be put, for this reason.
    Never(String),
}

impl Fleet {
    /// The answer to a command; `None` where it was said on nothing that has a number.
    ///
    /// Among the answers its place is the comment's: hosts number those as they come, so no node's clock is asked.
    pub(super) fn answer_to(order: &Order, words: &str) -> Option<Answer> {
        let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let author: String = order.author.chars().filter(plain).collect();
        let text = format!("**Regreen**, to `{}` of `{author}`:\n\n{words}", order.command.word());
        Some(Answer {
            repository: order.repository.clone(),
            about: order.about?,
            on_change: order.on_change,
            text: Marker::in_order(&text, (i64::try_from(order.comment).unwrap_or(i64::MAX), 0)),
        })
    }

    /// Puts an answer in place of what was answered there before, unless that is newer.
    pub async fn put_answer(&self, answer: &Answer, now: i64) -> Put {
        let Some(marker) = Marker::parse("commands") else { return Put::Done };
        self.put(answer, &marker, now).await
    }

    /// Puts a comment in place of the one with this marker, unless that is newer.
    pub(super) async fn put(&self, answer: &Answer, marker: &Marker, now: i64) -> Put {
        let Answer { repository, about, on_change, text } = answer;
        let put = match on_change {
            true => self.forge.comment_on_change(repository, *about, marker, text).await,
            false => self.forge.comment(repository, *about, marker, text).await,
        };
        match put {
            Ok(_) => Put::Done,
            Err(e) => self.not_put(&e, now),
        }
    }

    /// What comes of an answer that the host did not take.
    pub(super) fn not_put(&self, error: &ForgeError, now: i64) -> Put {
        match error {
            // It may stand there: putting it again changes nothing then.
            e @ ForgeError::Unknown { .. } => {
                let why = self.masker.mask(&e.to_string()).into_owned();
                Put::Later { at: now.saturating_add(self.config.stumble_ms), why }
            }
            e => match self.stumbled(e, now) {
                Next::Later { at, why } | Next::Stumbled { at, why } => Put::Later { at, why },
                Next::Taken { at } => Put::Later { at, why: "another node has it".to_owned() },
                Next::Done(settled) => Put::Never(settled.why),
            },
        }
    }
}
