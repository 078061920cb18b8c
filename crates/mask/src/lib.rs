//! Secrets out of text: everything that Regreen stores, sends or shows passes through a [`Masker`].
//!
//! Two kinds of secrets are found: values that the caller knows (environment variables whose names
//! [`looks_secret`] accepts), and shapes that are secrets wherever they stand (provider tokens, private keys,
//! URLs with passwords, authorization headers, password assignments).
//!
//! A masker works on *normalised* text: escape sequences inside a token would hide it, so logs are decoded
//! first and masked after. Masking is idempotent, linear in the text, and independent of where whole lines are
//! cut apart, except that a private key block must be seen with its first line.

mod encodings;
mod masker;
mod name;
mod normal;
mod rules;
mod spans;
mod values;

pub use masker::{Masker, REPLACEMENT};
pub use name::looks_secret;
