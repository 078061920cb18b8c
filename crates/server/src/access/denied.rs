//! Why somebody may not, as an answer.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};

use super::{Role, rate::Pace};
use crate::problem::Problem;

/// Why somebody may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// Nobody said who asks.
    Missing,
    /// What was shown is no token, or none that counts.
    Wrong,
    /// Too many wrong ones came from this address.
    TooOften {
        /// Try again after so many seconds.
        seconds: u64,
    },
    /// Too many tokens that have not been right yet came from this address to look them all up.
    TooMany {
        /// Try again after so many seconds.
        seconds: u64,
    },
    /// They ask too often.
    TooFast {
        /// How often they may.
        pace: Pace,
        /// Try again after so many seconds.
        seconds: u64,
    },
    /// It takes more than they may.
    Needs(Role),
    /// A page of somebody else's made the browser ask.
    Foreign,
    /// A header says who has signed in, and nobody who may say so sent it, or it is no one name.
    Stranger,
    /// The ledger does not answer; why, for the log alone.
    Unavailable(String),
}

impl Denied {
    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        self.problem().status()
    }

    /// Why, and what to do, for people.
    pub(crate) fn words(&self) -> String {
        self.problem().detail().to_owned()
    }

    pub(crate) fn problem(&self) -> Problem {
        match self {
            Denied::Missing => Problem::new(
                StatusCode::UNAUTHORIZED,
                "this needs a token: Authorization: Bearer …; `regreen token create` makes one",
            ),
            Denied::Wrong => {
                Problem::new(StatusCode::UNAUTHORIZED, "the token is wrong, has ended, or was taken away")
            }
            Denied::TooOften { seconds } => Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!("too many wrong tokens came from this address; try again in {seconds} seconds"),
            )
            .after(*seconds),
            Denied::TooMany { seconds } => {
                let Pace { burst, per_second } = Pace::UNPROVEN;
                let what = format!(
                    "more than {per_second} unknown tokens a second came from this address, after {burst} at once; none is looked up for {seconds} seconds"
                );
                Problem::new(StatusCode::TOO_MANY_REQUESTS, what).after(*seconds)
            }
            Denied::TooFast { pace: Pace { burst, per_second }, seconds } => Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!("more than {per_second} requests a second, after {burst} at once; try again in {seconds} seconds"),
            )
            .after(*seconds),
            Denied::Needs(role) => {
                Problem::new(StatusCode::FORBIDDEN, format!("this needs a token of the role {}", role.id()))
            }
            Denied::Foreign => Problem::new(
                StatusCode::FORBIDDEN,
                "who is signed in acts from a page of this server only: the request's Origin is another one, or none",
            ),
            Denied::Stranger => Problem::new(
                StatusCode::FORBIDDEN,
                "a header says who has signed in; it is no one name, or comes from an address that [serve.proxy] does not trust",
            ),
            Denied::Unavailable(_) => Problem::unavailable(),
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response<Body> {
        let mut response = self.problem().into_response();
        if matches!(self, Denied::Missing | Denied::Wrong) {
            let scheme = HeaderValue::from_static("Bearer realm=\"regreen\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
