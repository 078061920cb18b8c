//! The install tree: which packages, at which places.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::range::{Fit, fit};
use super::super::tree;
use super::package::{Need, asks_for, identity, installed, needs, titled, version};
use super::{Object, fields};
use crate::MergeConflict;
use crate::merge::{Fate, Three, fate, reach, settle};

/// Packages by place.
type Packages = BTreeMap<String, Object>;

/// The install trees of all sides, flat.
pub(super) struct Install {
    sides: Three<Packages>,
    /// Whether the project's own entry is there, so that what nothing needs can be told.
    rooted: bool,
}

impl Install {
    pub(super) fn of_packages(packages: Three<&Object>) -> Install {
        let flat = |o: &&Object| {
            Some(o.iter().filter_map(|(path, p)| Some((path.clone(), p.as_object()?.clone()))).collect())
        };
        Install { sides: packages.map(flat), rooted: true }
    }

    pub(super) fn of_nested(nested: Three<&Object>) -> Install {
        let flat = |o: &&Object| {
            let mut packages = Packages::new();
            flatten(o, "", &mut packages);
            Some(packages)
        };
        Install { sides: nested.map(flat), rooted: false }
    }

    /// The merged tree.
    pub(super) fn merge(&self, conflicts: &mut Vec<MergeConflict>) -> Packages {
        let (values, fates) = self.values(conflicts);
        let mut present = settle(&fates, |place, present| self.wanted(place, &values[place], present));
        if self.rooted {
            self.prune(&values, &mut present);
        } else {
            self.contest(&fates, &present, conflicts);
        }
        let merged: Packages = values.into_iter().filter(|(place, _)| present.contains(place)).collect();
        self.verify(&merged, conflicts);
        merged
    }

    /// The merged tree with exactly those packages that `leader`, made from `led`, has.
    pub(super) fn merge_following(
        &self,
        leader: &Packages,
        led: Three<&Object>,
        conflicts: &mut Vec<MergeConflict>,
    ) -> Packages {
        let (values, fates) = self.values(conflicts);
        let known = |place: &str| {
            led.ours.is_some_and(|o| o.contains_key(place))
                || led.theirs.is_some_and(|t| t.contains_key(place))
        };
        let stays = |place: &str| match known(place) {
            true => leader.contains_key(place),
            false => fates.get(place) == Some(&Fate::Kept),
        };
        values.into_iter().filter(|(place, _)| stays(place)).collect()
    }

    /// The value that each place would have, and whether the three-way rule keeps it.
    fn values(&self, conflicts: &mut Vec<MergeConflict>) -> (Packages, BTreeMap<String, Fate>) {
        let places: BTreeSet<&String> =
            [&self.sides.ours, &self.sides.theirs].into_iter().flatten().flat_map(BTreeMap::keys).collect();
        let (mut values, mut fates) = (Packages::new(), BTreeMap::new());
        for place in places {
            let three = Three {
                base: self.sides.base.as_ref().and_then(|s| s.get(place)),
                ours: self.sides.ours.as_ref().and_then(|s| s.get(place)),
                theirs: self.sides.theirs.as_ref().and_then(|s| s.get(place)),
            };
            if tree::is_installed(place) {
                fates.insert(place.clone(), fate(&three.map(|p| Some(identity(p)))));
                values.insert(place.clone(), installed(place, three, conflicts));
            } else {
                let owned = three.map(|p| Some(Value::Object((*p).clone())));
                let owned = Three {
                    base: owned.base.as_ref(),
                    ours: owned.ours.as_ref(),
                    theirs: owned.theirs.as_ref(),
                };
                if let Some(Value::Object(merged)) =
                    fields::merge(&format!("packages[\"{place}\"]"), owned, conflicts)
                {
                    fates.insert(place.clone(), Fate::Kept);
                    values.insert(place.clone(), merged);
                }
            }
        }
        (values, fates)
    }

    /// Places that are not present, from which `place` got what it needs on the sides that have it.
    fn wanted(&self, place: &str, package: &Object, present: &BTreeSet<String>) -> Vec<String> {
        let mut wanted = Vec::new();
        for need in needs(place, package) {
            // Whether what is there now fits can't be asked before all are there; its absence can.
            if tree::resolve(place, need.name, |p| present.contains(p)).is_some() {
                continue;
            }
            let asking = [&self.sides.ours, &self.sides.theirs]
                .into_iter()
                .flatten()
                .filter(|side| side.get(place).is_some_and(|p| asks_for(place, p, need.name, None)));
            // A side that went without it itself shows that it may be missing.
            let got: Option<Vec<String>> =
                asking.map(|side| tree::resolve(place, need.name, |p| side.contains_key(p))).collect();
            wanted.extend(got.into_iter().flatten());
        }
        wanted
    }

    /// Takes away what nothing needs any more, though on each side that has it something did.
    fn prune(&self, merged: &Packages, present: &mut BTreeSet<String>) {
        let reached = reached(merged, present);
        let sides: Vec<(&Packages, BTreeSet<String>)> = [&self.sides.ours, &self.sides.theirs]
            .into_iter()
            .flatten()
            .map(|side| (side, self::reached(side, &side.keys().cloned().collect())))
            .collect();
        present.retain(|place| {
            reached.contains(place)
                || sides.iter().any(|(side, r)| side.contains_key(place) && !r.contains(place))
        });
    }

    /// Version 1 doesn't say what the project itself needs, so that a package which one side removed and the
    /// other changed may or may not be needed.
    fn contest(
        &self,
        fates: &BTreeMap<String, Fate>,
        present: &BTreeSet<String>,
        conflicts: &mut Vec<MergeConflict>,
    ) {
        let open =
            fates.iter().filter(|(place, fate)| **fate == Fate::Contested && !present.contains(*place));
        for (place, _) in open {
            let says = |side: &Option<Packages>| side.as_ref().and_then(|s| s.get(place)).map(titled);
            conflicts.push(MergeConflict {
                place: place.clone(),
                base: says(&self.sides.base),
                ours: says(&self.sides.ours),
                theirs: says(&self.sides.theirs),
                why: None,
            });
        }
    }

    /// Whether each package still gets what it got on its own side.
    fn verify(&self, merged: &Packages, conflicts: &mut Vec<MergeConflict>) {
        for (place, package) in merged {
            for need in needs(place, package) {
                if satisfied(merged, place, &need) {
                    continue;
                }
                let before = |side: &Option<Packages>| {
                    let side = side.as_ref();
                    let asking = side.filter(|s| {
                        s.get(place).is_some_and(|p| asks_for(place, p, need.name, Some(need.range)))
                    });
                    asking.is_some_and(|s| !satisfied(s, place, &need))
                };
                // A side that asks for the same went without it: then the merge has not broken it.
                if before(&self.sides.ours) || before(&self.sides.theirs) {
                    continue;
                }
                let got = |side: Option<&Packages>| {
                    let place = tree::resolve(place, need.name, |p| side.is_some_and(|s| s.contains_key(p)))?;
                    Some(format!("{} {}", need.name, version(side?.get(&place)?)))
                };
                conflicts.push(MergeConflict {
                    place: place.clone(),
                    base: got(self.sides.base.as_ref()),
                    ours: got(self.sides.ours.as_ref()),
                    theirs: got(self.sides.theirs.as_ref()),
                    why: Some(format!(
                        "it needs {}@{}, which the merge would not give it",
                        need.name, need.range
                    )),
                });
            }
        }
    }
}

fn flatten(nested: &Object, parent: &str, packages: &mut Packages) {
    for (name, package) in nested {
        let Some(package) = package.as_object() else { continue };
        let place = tree::child(parent, name);
        if let Some(inner) = package.get("dependencies").and_then(Value::as_object) {
            flatten(inner, &place, packages);
        }
        let own = package.iter().filter(|(key, _)| *key != "dependencies");
        packages.insert(place, own.map(|(k, v)| (k.clone(), v.clone())).collect());
    }
}

fn satisfied(packages: &Packages, place: &str, need: &Need<'_>) -> bool {
    match tree::resolve(place, need.name, |p| packages.contains_key(p)) {
        None => need.optional,
        Some(found) => {
            let found = packages.get(&found);
            fit(need.range, found.and_then(|p| p.get("version")).and_then(Value::as_str)) != Fit::No
        }
    }
}

/// What the project, its workspaces and its links reach among the `present` places.
fn reached(packages: &Packages, present: &BTreeSet<String>) -> BTreeSet<String> {
    let is_root = |place: &&String| {
        !tree::is_installed(place) || packages.get(*place).is_some_and(|p| p.contains_key("link"))
    };
    reach(present.iter().filter(is_root).cloned(), |place| {
        let package = packages.get(place);
        let needs = package.map(|p| needs(place, p)).unwrap_or_default();
        needs.iter().filter_map(|need| tree::resolve(place, need.name, |p| present.contains(p))).collect()
    })
}
