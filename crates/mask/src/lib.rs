//! Secrets out of text: everything that Regreen stores, sends or shows passes through a [`Masker`].
//!
//! Three kinds of secrets are found: values that the caller knows ([`secrets_of`] its environment's variables), shapes that
//! are secrets wherever they stand (provider tokens, private keys, URLs with passwords, authorization headers, password
//! assignments), and values that a log itself names as secret ([`Announced`]).
//!
//! A masker works on *normalised* text: escape sequences inside a token would hide it, so logs are decoded
//! first and masked after. Masking is idempotent, linear in the text, and independent of where whole lines are
//! cut apart, except that a private key block must be seen with its first line, and what a log names as secret is known where
//! it is seen with its command.

mod accept;
mod announced;
mod encodings;
mod masker;
mod name;
mod normal;
mod rules;
mod shapes;
mod spans;
mod values;

pub use announced::Announced;
pub use masker::{Masker, REPLACEMENT};
pub use name::{looks_secret, secrets_of};
