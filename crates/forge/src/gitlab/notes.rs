//! Notes on issues and merge requests, and texts that command nothing.

use std::borrow::Cow;

use serde_json::json;
use ureq::http::Method;

use super::{answers, client::GitLab, pipelines::at};
use crate::{
    BoxFuture, Comment, ForgeError, Marker, Repository,
    calls::{
        api::{Scope, parsed},
        sending::Sending,
    },
};

impl GitLab {
    /// `on` is `issues` or `merge_requests`.
    pub(super) async fn put_note(
        &self,
        repository: &Repository,
        on: &str,
        number: u64,
        marker: &Marker,
        body: &str,
    ) -> Result<Comment, ForgeError> {
        let what = format!("a comment on {number} of {repository}");
        let text = marker.mark(&harmless(body));
        let notes = format!("/{on}/{number}/notes");
        let url = |id: u64| self.api.base.at(&at(repository, &format!("{notes}/{id}")));
        let read_new =
            |body: &[u8]| parsed::<answers::Note>(body).map(|new| Comment { id: new.id, url: url(new.id) });
        let (method, path) = match self.note_of(repository, &notes, marker).await? {
            Some((id, said)) if said == text || Marker::is_newer(&said, &text) => {
                return Ok(Comment { id, url: url(id) });
            }
            Some((id, _)) => (Method::PUT, at(repository, &format!("{notes}/{id}"))),
            None => (Method::POST, at(repository, &notes)),
        };
        let is_new = method == Method::POST;
        let body = Some(json!({ "body": text }));
        let sending = Sending { repository, what: &what, method, path, body, fresh: false };
        if !is_new {
            return self.api.put(&sending, read_new).await;
        }
        let look = || -> BoxFuture<'_, _> {
            Box::pin(async {
                let found = self.note_of(repository, &notes, marker).await?;
                Ok(found.map(|(id, _)| Comment { id, url: url(id) }))
            })
        };
        self.api.change_by(&sending, read_new, look).await.map(|(comment, _)| comment)
    }

    /// Regreen's own note of this marker, and its text.
    async fn note_of(
        &self,
        repository: &Repository,
        notes: &str,
        marker: &Marker,
    ) -> Result<Option<(u64, String)>, ForgeError> {
        let own = self.api.actor().await?.login;
        let path = at(repository, &format!("{notes}?sort=asc&order_by=created_at&per_page=100"));
        let what = format!("the comments of {repository}");
        let items = |page: Vec<answers::Note>| -> Vec<(u64, String)> {
            page.into_iter()
                .filter(|note| note.author.as_ref().is_some_and(|author| author.username == own))
                .filter_map(|note| Some((note.id, note.body.filter(|text| marker.is_in(text))?)))
                .collect()
        };
        let found = self.api.all(Scope::Of(repository), &what, &path, items, |all| !all.is_empty()).await?;
        Ok(found.into_iter().next())
    }
}

/// A text in which no line is a quick action (`/close`, `/assign @somebody`): GitLab carries those out for whoever writes
/// them, and what stands in a log is written by anybody. <https://docs.gitlab.com/user/project/quick_actions/>
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.lines().any(is_command) {
        return Cow::Borrowed(text);
    }
    let line = |line: &str| {
        if is_command(line) { line.replacen('/', "\\/", 1) } else { line.to_owned() }
    };
    Cow::Owned(text.lines().map(line).collect::<Vec<_>>().join("\n"))
}

fn is_command(line: &str) -> bool {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || c == '>');
    line.strip_prefix('/').is_some_and(|rest| {
        let word = rest.split(char::is_whitespace).next().unwrap_or_default();
        // Regreen's own is none of GitLab's, and people copy it.
        word != "regreen"
            && word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn no_line_commands() {
        for (text, want) in [
            ("fine\n/usr/bin/npm: not found\n", "fine\n/usr/bin/npm: not found\n"),
            ("a\n/close\nb", "a\n\\/close\nb"),
            ("  /assign @me", "  \\/assign @me"),
            ("> /label ~x", "> \\/label ~x"),
            ("/", "/"),
            ("// note", "// note"),
            ("    /regreen approve 1", "    /regreen approve 1"),
            ("/regreens", "\\/regreens"),
        ] {
            assert_eq!(harmless(text), want);
        }
    }
}
