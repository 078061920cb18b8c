//! The catalogue in the form that the program holds: what a scan needs is unpacked at the start, what people read only
//! once it is asked for.
//!
//! Packed by the build of the same program that unpacks it, so the form has no versions.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Catalog;

/// Bytes that are no packed catalogue of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the built-in catalogue can't be unpacked; install Regreen again")]
pub struct Unreadable;

/// A catalogue that can't be packed.
#[derive(Debug, thiserror::Error)]
#[error("the catalogue can't be packed: {0}")]
pub struct Unpackable(postcard::Error);

impl Catalog {
    /// The catalogue as bytes.
    ///
    /// # Errors
    /// None for a catalogue that was loaded.
    pub fn pack(&self) -> Result<Vec<u8>, Unpackable> {
        postcard::to_allocvec(self).map_err(Unpackable)
    }

    /// The catalogue from bytes that [`Catalog::pack`] made.
    ///
    /// # Errors
    /// Where these are other bytes.
    pub fn unpack(bytes: &'static [u8]) -> Result<Catalog, Unreadable> {
        postcard::from_bytes(bytes).map_err(|_| Unreadable)
    }
}

/// A value that is unpacked when it is first asked for.
#[derive(Clone)]
pub struct Later<T> {
    packed: &'static [u8],
    value: OnceLock<T>,
}

impl<T: DeserializeOwned + Default> Deref for Later<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // What was packed can be unpacked, or `every_part_is_as_it_was_loaded` fails.
        self.value.get_or_init(|| postcard::from_bytes(self.packed).unwrap_or_default())
    }
}

impl<T> From<T> for Later<T> {
    fn from(value: T) -> Self {
        Later { packed: &[], value: OnceLock::from(value) }
    }
}

impl<T: Default> Default for Later<T> {
    fn default() -> Self {
        T::default().into()
    }
}

impl<T: fmt::Debug + DeserializeOwned + Default> fmt::Debug for Later<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Serialize + DeserializeOwned + Default> Serialize for Later<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&postcard::to_allocvec(&**self).map_err(S::Error::custom)?)
    }
}

impl<'de: 'static, T> Deserialize<'de> for Later<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Later { packed: Deserialize::deserialize(deserializer)?, value: OnceLock::new() })
    }
}

/// Bytes that stay where the program holds them.
#[derive(Debug, Clone)]
pub(crate) struct Bytes(Cow<'static, [u8]>);

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(Cow::Owned(bytes))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl<'de: 'static> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Bytes(Cow::Borrowed(Deserialize::deserialize(deserializer)?)))
    }
}

/// A noun of the domain, which is packed as its id.
pub(crate) trait Named: Sized {
    fn name(&self) -> &str;
    fn named(name: &str) -> Option<Self>;
}

macro_rules! named {
    ($($noun:ident: $name:ident, $named:expr;)+) => {$(
        impl Named for regreen_domain::$noun {
            fn name(&self) -> &str {
                self.$name()
            }

            fn named(name: &str) -> Option<Self> {
                $named(name)
            }
        }
    )+};
}

named! {
    CommandKind: id, Self::parse;
    FailureClass: id, Self::parse;
    HealableClass: id, |name| regreen_domain::FailureClass::parse(name)?.healable();
    Outcome: id, Self::parse;
    Refusal: id, Self::parse;
    Resource: id, Self::parse;
    Risk: id, Self::parse;
    Tool: as_str, Self::new;
}

/// For `#[serde(with)]`: one noun.
pub(crate) mod id {
    use super::*;

    pub(crate) fn serialize<T: Named, S: Serializer>(noun: &T, serializer: S) -> Result<S::Ok, S::Error> {
        noun.name().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Named, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        T::named(<&str>::deserialize(from)?).ok_or_else(|| D::Error::custom("no such id"))
    }
}

/// For `#[serde(with)]`: nouns in a `Vec`.
pub(crate) mod ids {
    use super::*;

    pub(crate) fn serialize<T: Named, S: Serializer>(nouns: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(nouns.iter().map(T::name))
    }

    pub(crate) fn deserialize<'de, T: Named, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        let names = Vec::<&str>::deserialize(from)?;
        names.into_iter().map(|name| T::named(name).ok_or_else(|| D::Error::custom("no such id"))).collect()
    }
}

/// For `#[serde(with)]`: a noun, or none.
pub(crate) mod maybe_id {
    use super::*;

    pub(crate) fn serialize<T: Named, S: Serializer>(
        noun: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        noun.as_ref().map(T::name).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Named, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        let name = Option::<&str>::deserialize(from)?;
        name.map(|name| T::named(name).ok_or_else(|| D::Error::custom("no such id"))).transpose()
    }
}

/// For `#[serde(with)]`: a probability.
pub(crate) mod confidence {
    use regreen_domain::Confidence;

    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        confidence: &Confidence,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        confidence.value().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Confidence, D::Error> {
        Confidence::from_stored(f64::deserialize(from)?).ok_or_else(|| D::Error::custom("no probability"))
    }
}
