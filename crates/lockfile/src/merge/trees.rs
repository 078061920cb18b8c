//! The three-way merge of trees: part by part; packages as long as something needs them.

use std::collections::{BTreeMap, BTreeSet};

use super::node::{Body, Branch, Frame, Node};
use super::{Fate, Three, fate, ordered_union, pick, reach};
use crate::MergeConflict;

/// Merges trees. In a `rooted` lockfile what nothing needs any more goes; elsewhere nothing tells what a project needs
/// itself.
pub(crate) fn merge_trees(trees: &Three<&Node>, rooted: bool) -> (Option<Node>, Vec<MergeConflict>) {
    let mut merging = Merging::default();
    let merged = merging.part(*trees);
    let Some(merged) = merged.filter(|_| merging.conflicts.is_empty()) else {
        return (None, merging.conflicts);
    };
    let mut present = merging.settle(&merged);
    for (id, (_, said)) in
        merging.doubtful.iter().filter(|(id, (fate, _))| *fate == Fate::Contested && !present.contains(*id))
    {
        if !rooted {
            merging.conflicts.push(MergeConflict {
                why: Some(format!("nothing tells whether {id} is still needed")),
                ..said.clone()
            });
        }
    }
    if rooted {
        let reached = reached(&merged, &present);
        let before: Vec<(BTreeSet<String>, BTreeSet<String>)> = [trees.ours, trees.theirs]
            .into_iter()
            .flatten()
            .map(|side| {
                let all = packages(side);
                let reached = self::reached(side, &all);
                (all, reached)
            })
            .collect();
        // What nothing needed before either is somebody's own.
        present.retain(|id| {
            reached.contains(id)
                || before.iter().any(|(all, reached)| all.contains(id) && !reached.contains(id))
        });
    }
    (without(&merged, &present), merging.conflicts)
}

#[derive(Default)]
struct Merging {
    path: Vec<String>,
    conflicts: Vec<MergeConflict>,
    /// Packages that one side removed, with what became of them, and what to say if that can't be told.
    doubtful: BTreeMap<String, (Fate, MergeConflict)>,
}

impl Merging {
    /// A part that at least one of `ours` and `theirs` has.
    fn part(&mut self, three: Three<&Node>) -> Option<Node> {
        let (left, right) = match (three.ours, three.theirs) {
            (Some(left), Some(right)) => (left, right),
            (Some(only), None) | (None, Some(only)) => return self.one_sided(three, only),
            (None, None) => return None,
        };
        if let Ok(picked) = pick(three.map(|n| Some(&n.body))) {
            let mut node = [left, right].into_iter().find(|n| Some(&n.body) == picked).cloned()?;
            // On a side that lacks a part, not everything that it says it needs is there.
            if left.body == right.body {
                node.needs.extend(right.needs.iter().filter(|id| !left.needs.contains(id)).cloned());
            }
            return Some(node);
        }
        let base = three.base.map(|b| &b.body);
        match (base, &left.body, &right.body) {
            (None | Some(Body::Branch(_)), Body::Branch(ours), Body::Branch(theirs)) => {
                let base = base.and_then(branch_of);
                let merged = self.branch(Three { base, ours: Some(ours), theirs: Some(theirs) })?;
                Some(Node { body: Body::Branch(merged), ..left.clone() })
            }
            _ => {
                self.conflict(three);
                Some(left.clone())
            }
        }
    }

    fn one_sided(&mut self, three: Three<&Node>, only: &Node) -> Option<Node> {
        let fate = fate(&three.map(|n| Some(&n.body)));
        if let (Some(id), Fate::Dropped | Fate::Contested) = (&only.package, fate) {
            let said = self.said(three);
            self.doubtful.insert(id.clone(), (fate, said));
            return Some(only.clone());
        }
        match (fate, three.base.map(|b| &b.body), &only.body) {
            (Fate::Kept, ..) => Some(only.clone()),
            (Fate::Dropped, ..) => None,
            // A list that is gone is one without parts.
            (Fate::Contested, Some(Body::Branch(base)), Body::Branch(left)) => {
                let empty = Branch { children: Vec::new(), ..left.clone() };
                let (ours, theirs) = match three.ours {
                    Some(_) => (left, &empty),
                    None => (&empty, left),
                };
                let sides = Three { base: Some(base), ours: Some(ours), theirs: Some(theirs) };
                Some(Node { body: Body::Branch(self.branch(sides)?), ..only.clone() })
            }
            (Fate::Contested, ..) => {
                self.conflict(three);
                three.ours.cloned()
            }
        }
    }

    fn branch(&mut self, three: Three<&Branch>) -> Option<Branch> {
        let (ours, theirs) = (three.ours?, three.theirs?);
        let keys = |b: &Branch| b.children.iter().map(|c| c.key.clone()).collect::<Vec<_>>();
        let nothing = Three { base: None, ours: None, theirs: None };
        let mut lookup: BTreeMap<String, Three<&Node>> =
            [ours, theirs].into_iter().flat_map(keys).map(|key| (key, nothing)).collect();
        fill(&mut lookup, three);
        let order = ordered_union(&keys(ours), &keys(theirs), |a, b| ours.order.compare(a, b));
        let mut children = Vec::with_capacity(order.len());
        for key in order {
            let Some(three) = lookup.get(&key).copied() else { continue };
            self.path.push(key);
            children.extend(self.part(three));
            self.path.pop();
        }
        let frame = self.frame(three)?;
        Some(Branch { frame, order: ours.order, children })
    }

    fn frame(&mut self, three: Three<&Branch>) -> Option<Frame> {
        let (ours, theirs) = (three.ours?, three.theirs?);
        if ours.frame == theirs.frame {
            return Some(ours.frame.clone());
        }
        // How a list is written is best seen where it holds most; an empty one tells nothing.
        let fuller = if theirs.children.len() > ours.children.len() { theirs } else { ours };
        if ours.children.is_empty() || theirs.children.is_empty() {
            return Some(fuller.frame.clone());
        }
        let picked = |part: fn(&Frame) -> &String| {
            pick(three.map(|b| (!b.children.is_empty()).then_some(part(&b.frame))))
        };
        match (picked(|f| &f.open), picked(|f| &f.close)) {
            (Ok(Some(open)), Ok(Some(close))) => {
                Some(Frame { open: open.clone(), close: close.clone(), ..fuller.frame.clone() })
            }
            _ => {
                let node = |b: &Branch| Node::leaf("", format!("{}\n{}", b.frame.open, b.frame.close));
                let (base, ours, theirs) = (three.base.map(node), node(ours), node(theirs));
                self.conflict(Three { base: base.as_ref(), ours: Some(&ours), theirs: Some(&theirs) });
                None
            }
        }
    }

    fn said(&self, three: Three<&Node>) -> MergeConflict {
        let texts = three.map(|n| n.text());
        let said = differing(&texts);
        let place = match self.path.last() {
            Some(key) if three.ours.or(three.theirs).is_some_and(|n| n.package.is_some()) => key.clone(),
            Some(_) => self.path.join(" > "),
            None => "the head of the file".to_owned(),
        };
        MergeConflict { place, base: said.base, ours: said.ours, theirs: said.theirs, why: None }
    }

    fn conflict(&mut self, three: Three<&Node>) {
        let said = self.said(three);
        self.conflicts.push(said);
    }

    /// The packages that stay: those that no side removed, and of the others those that something needs.
    fn settle(&self, merged: &Node) -> BTreeSet<String> {
        let needs = needs_by_package(merged);
        let all = packages(merged);
        let mut present: BTreeSet<String> =
            all.iter().filter(|id| !self.doubtful.contains_key(*id)).cloned().collect();
        let mut asking: Vec<&String> = needs.get(&None).into_iter().flatten().copied().collect();
        asking.extend(
            present
                .iter()
                .flat_map(|id| needs.get(&Some(id)).into_iter().flatten().copied())
                .collect::<Vec<_>>(),
        );
        while let Some(id) = asking.pop() {
            if all.contains(id) && present.insert(id.clone()) {
                asking.extend(needs.get(&Some(id)).into_iter().flatten().copied());
            }
        }
        present
    }
}

fn branch_of(body: &Body) -> Option<&Branch> {
    match body {
        Body::Branch(branch) => Some(branch),
        Body::Leaf(_) => None,
    }
}

fn fill<'n>(lookup: &mut BTreeMap<String, Three<&'n Node>>, three: Three<&'n Branch>) {
    let Three { base, ours, theirs } = three;
    for (side, put) in [
        (base, (|three, node| three.base = Some(node)) as fn(&mut Three<&'n Node>, &'n Node)),
        (ours, |three, node| three.ours = Some(node)),
        (theirs, |three, node| three.theirs = Some(node)),
    ] {
        for child in side.into_iter().flat_map(|b| &b.children) {
            if let Some(three) = lookup.get_mut(&child.key) {
                put(three, child);
            }
        }
    }
}

/// The first line in which the sides differ, of each.
fn differing(texts: &Three<String>) -> Three<String> {
    let line =
        |text: &Option<String>, n: usize| text.as_ref().and_then(|t| t.lines().nth(n)).map(str::to_owned);
    let most =
        [&texts.ours, &texts.theirs].into_iter().flatten().map(|t| t.lines().count()).max().unwrap_or(0);
    let at = (0..most).find(|n| line(&texts.ours, *n) != line(&texts.theirs, *n)).unwrap_or(0);
    let shortly = |text: &Option<String>| {
        line(text, at).map(|l| l.trim().trim_end_matches(',').chars().take(80).collect::<String>())
    };
    Three { base: shortly(&texts.base), ours: shortly(&texts.ours), theirs: shortly(&texts.theirs) }
}

fn packages(tree: &Node) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    tree.visit(&mut |node| found.extend(node.package.clone()));
    found
}

/// What each package needs; under `None` what the projects themselves do.
fn needs_by_package(tree: &Node) -> BTreeMap<Option<&String>, Vec<&String>> {
    fn collect<'n>(
        node: &'n Node,
        of: Option<&'n String>,
        needs: &mut BTreeMap<Option<&'n String>, Vec<&'n String>>,
    ) {
        let of = node.package.as_ref().or(of);
        needs.entry(of).or_default().extend(&node.needs);
        node.children().iter().for_each(|child| collect(child, of, needs));
    }
    let mut needs = BTreeMap::new();
    collect(tree, None, &mut needs);
    needs
}

/// What the projects reach among the `present` packages.
fn reached(tree: &Node, present: &BTreeSet<String>) -> BTreeSet<String> {
    let needs = needs_by_package(tree);
    let of = |key: Option<&String>| -> Vec<String> {
        let needed = needs.get(&key).into_iter().flatten();
        needed.filter(|id| present.contains(**id)).map(|id| (*id).clone()).collect()
    };
    reach(of(None), |id| of(Some(id)))
}

fn without(node: &Node, present: &BTreeSet<String>) -> Option<Node> {
    if node.package.as_ref().is_some_and(|id| !present.contains(id)) {
        return None;
    }
    let body = match &node.body {
        Body::Leaf(text) => Body::Leaf(text.clone()),
        Body::Branch(branch) => Body::Branch(Branch {
            children: branch.children.iter().filter_map(|child| without(child, present)).collect(),
            ..branch.clone()
        }),
    };
    Some(Node { body, ..node.clone() })
}
