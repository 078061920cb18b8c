//! What both hosts' clients share: reads and changes within the limits, tried again, kept, and looked for where an answer was
//! lost. What is a host's own matter stands behind [`host::Host`].

pub(crate) mod api;
pub(crate) mod at;
pub(crate) mod change;
pub(crate) mod fetch;
pub(crate) mod host;
pub(crate) mod limits;
pub(crate) mod options;
pub(crate) mod pages;
pub(crate) mod sending;
