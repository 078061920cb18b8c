//! Listings of several pages.

use serde::de::DeserializeOwned;

use super::{
    api::{Api, Scope},
    host::Host,
};
use crate::ForgeError;

/// So many pages of a listing are read; what has more is not a listing but a loop.
const PAGES: usize = 100;

/// The address of the next page, of a `Link` header.
pub(crate) fn next(header: &str) -> Option<String> {
    header.split(',').find_map(|link| {
        let (url, relations) = link.split_once(';')?;
        let is_next = relations.split(';').any(|relation| {
            relation.trim().strip_prefix("rel=").is_some_and(|rel| rel.trim_matches('"') == "next")
        });
        let url = url.trim().strip_prefix('<')?.strip_suffix('>')?;
        is_next.then(|| url.to_owned())
    })
}

impl<H: Host> Api<H> {
    /// All items of a listing, page by page, until `enough` of them are there.
    pub(crate) async fn all<P: DeserializeOwned, T>(
        &self,
        scope: Scope<'_>,
        what: &str,
        path: &str,
        items: impl Fn(P) -> Vec<T>,
        enough: impl Fn(&[T]) -> bool,
    ) -> Result<Vec<T>, ForgeError> {
        let mut all = Vec::new();
        let mut url = self.base.at(path);
        for _ in 0..PAGES {
            let (page, next) = self.page::<P>(scope, what, &url).await?;
            all.extend(items(page));
            match next {
                Some(next) if !enough(&all) => url = next,
                _ => return Ok(all),
            }
        }
        Err(ForgeError::Endless { what: what.to_owned(), pages: PAGES })
    }
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_next_page_is_the_one_that_says_so() {
        let header = r#"<https://api.github.com/x?page=1>; rel="prev", <https://api.github.com/x?page=3>; rel="next", <https://api.github.com/x?page=9>; rel="last""#;
        assert_eq!(next(header).as_deref(), Some("https://api.github.com/x?page=3"));
        assert_eq!(next(r#"<https://api.github.com/x?page=1>; rel="first""#), None);
        for odd in ["", "next", "<>; rel=", "<a; rel=\"next\"", ",;,;"] {
            assert_eq!(next(odd), None, "{odd}");
        }
    }
}
