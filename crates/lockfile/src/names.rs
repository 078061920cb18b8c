//! A map by name for tens of thousands of names that begin alike: hashes are compared first, so that texts rarely are.
//! Names that collide on purpose cost no more than in an ordinary map.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Values by name.
#[derive(Debug)]
pub(crate) struct Names<'n, V>(BTreeMap<Key<'n>, V>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'n>(u64, &'n str);

/// A key that need not live as long as those in the map.
trait AnyKey {
    fn parts(&self) -> (u64, &str);
}

impl AnyKey for Key<'_> {
    fn parts(&self) -> (u64, &str) {
        (self.0, self.1)
    }
}

impl<'a, 'n: 'a> Borrow<dyn AnyKey + 'a> for Key<'n> {
    fn borrow(&self) -> &(dyn AnyKey + 'a) {
        self
    }
}

impl PartialEq for dyn AnyKey + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for dyn AnyKey + '_ {}

impl PartialOrd for dyn AnyKey + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn AnyKey + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl<'n, V> Names<'n, V> {
    pub(crate) const fn new() -> Self {
        Names(BTreeMap::new())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        let key = Key(hash(name), name);
        self.0.get(&key as &dyn AnyKey)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// What stood there before.
    pub(crate) fn insert(&mut self, name: &'n str, value: V) -> Option<V> {
        self.0.insert(Key(hash(name), name), value)
    }

    /// The value of this name, made where there is none.
    pub(crate) fn or_default(&mut self, name: &'n str) -> &mut V
    where
        V: Default,
    {
        self.0.entry(Key(hash(name), name)).or_default()
    }
}

impl<'n> FromIterator<&'n str> for Names<'n, ()> {
    fn from_iter<I: IntoIterator<Item = &'n str>>(names: I) -> Self {
        Names(names.into_iter().map(|name| (Key(hash(name), name), ())).collect())
    }
}

/// FNV-1a, eight bytes at a time.
fn hash(name: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for chunk in name.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    }
    hash ^ name.len() as u64
}
