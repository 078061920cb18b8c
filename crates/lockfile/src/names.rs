//! A map by name for tens of thousands of names that begin alike: a table of places by hash, so that texts are hardly
//! ever compared. Names that collide on purpose cost no more than in an ordinary map.

use std::collections::BTreeMap;

/// Places that are looked at before a name counts as one of those that collide.
const PROBES: usize = 16;

/// Values by name.
#[derive(Debug)]
pub(crate) struct Names<'n, V> {
    known: Vec<(u64, &'n str, V)>,
    /// By hash, the position in `known` plus one; nought where there is none. At most half of them are taken.
    places: Vec<u32>,
    /// Positions of the names whose places were all taken.
    crowded: BTreeMap<&'n str, usize>,
}

impl<'n, V> Names<'n, V> {
    pub(crate) const fn new() -> Self {
        Names { known: Vec::new(), places: Vec::new(), crowded: BTreeMap::new() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        self.find(hash(name), name).and_then(|at| self.known.get(at)).map(|(_, _, value)| value)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.find(hash(name), name).is_some()
    }

    /// What stood there before.
    pub(crate) fn insert(&mut self, name: &'n str, value: V) -> Option<V> {
        let hash = hash(name);
        match self.find(hash, name).and_then(|at| self.known.get_mut(at)) {
            Some((_, _, known)) => Some(std::mem::replace(known, value)),
            None => {
                self.add(hash, name, value);
                None
            }
        }
    }

    /// The value of this name, made where there is none.
    pub(crate) fn or_default(&mut self, name: &'n str) -> &mut V
    where
        V: Default,
    {
        let hash = hash(name);
        let at = match self.find(hash, name) {
            Some(at) => at,
            None => self.add(hash, name, V::default()),
        };
        &mut self.known[at].2
    }

    fn find(&self, hash: u64, name: &str) -> Option<usize> {
        for place in places(hash, self.places.len()) {
            let at = match self.places[place] {
                0 => return None,
                taken => taken as usize - 1,
            };
            let (other, text, _) = &self.known[at];
            if *other == hash && *text == name {
                return Some(at);
            }
        }
        self.crowded.get(name).copied()
    }

    /// Adds a name that is not there yet; its position.
    fn add(&mut self, hash: u64, name: &'n str, value: V) -> usize {
        let at = self.known.len();
        self.known.push((hash, name, value));
        if self.known.len() * 2 > self.places.len() {
            self.places = vec![0; (self.places.len() * 2).max(64)];
            self.crowded.clear();
            (0..self.known.len()).for_each(|at| self.settle(at));
        } else {
            self.settle(at);
        }
        at
    }

    fn settle(&mut self, at: usize) {
        let (hash, name, _) = &self.known[at];
        let free = places(*hash, self.places.len()).find(|place| self.places[*place] == 0);
        match (free, u32::try_from(at + 1)) {
            (Some(place), Ok(number)) => self.places[place] = number,
            _ => _ = self.crowded.insert(name, at),
        }
    }
}

/// Where a name with this hash may stand, in the order in which it is looked for.
fn places(hash: u64, count: usize) -> impl Iterator<Item = usize> {
    // A power of two, so that the rest is a mask.
    let mask = count.wrapping_sub(1);
    let first = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    (0..PROBES.min(count)).map(move |step| first.wrapping_add(step) & mask)
}

impl<'n> FromIterator<&'n str> for Names<'n, ()> {
    fn from_iter<I: IntoIterator<Item = &'n str>>(names: I) -> Self {
        let mut all = Names::new();
        names.into_iter().for_each(|name| _ = all.insert(name, ()));
        all
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What stands in the table by places is never found twice.
    fn is_sound<V>(names: &Names<'_, V>) -> bool {
        let placed = names.places.iter().filter(|p| **p != 0).count();
        placed + names.crowded.len() == names.known.len()
    }

    proptest! {
        #[test]
        fn as_an_ordinary_map_has_it(texts in prop::collection::vec("[a-c]{0,4}", 0..300)) {
            let (mut ours, mut theirs) = (Names::new(), BTreeMap::new());
            for (n, text) in texts.iter().enumerate() {
                prop_assert_eq!(ours.get(text), theirs.get(text.as_str()));
                if n % 3 == 0 {
                    *ours.or_default(text) += n;
                    *theirs.entry(text.as_str()).or_default() += n;
                } else {
                    prop_assert_eq!(ours.insert(text, n), theirs.insert(text.as_str(), n));
                }
            }
            for text in &texts {
                prop_assert_eq!(ours.get(text), theirs.get(text.as_str()));
            }
            prop_assert!(is_sound(&ours) && !ours.contains("d"));
        }
    }

    #[test]
    fn names_that_collide_are_kept_apart() {
        // All with one hash, as somebody could make them.
        let texts: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
        let mut names = Names::new();
        for (n, text) in texts.iter().enumerate() {
            assert_eq!(names.find(7, text), None);
            names.add(7, text, n);
        }
        assert!(is_sound(&names) && names.crowded.len() >= 1000 - PROBES);
        for (n, text) in texts.iter().enumerate() {
            assert_eq!(names.find(7, text), Some(n));
        }
    }
}
