//! Times as hosts write them.

use std::time::SystemTime;

use serde::{Deserialize, Deserializer};

/// A time as `2026-11-29T10:20:53Z`, with or without fractions, at any offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(pub(crate) SystemTime);

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let time: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(At(time.into()))
    }
}
