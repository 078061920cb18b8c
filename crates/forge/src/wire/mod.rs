//! What both hosts' clients stand on: one HTTP exchange, addresses that may be asked, waiting between tries.

pub(crate) mod address;
pub(crate) mod archive;
pub(crate) mod backoff;
pub(crate) mod base;
pub(crate) mod http;
pub(crate) mod secret;
