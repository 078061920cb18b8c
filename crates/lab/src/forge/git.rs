//! Branches, commits, files, and pull requests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::{
    World,
    route::{Asked, Reply},
    sample::{sample, with},
};

/// Files by path: mode and what git calls their content.
pub type Tree = BTreeMap<String, (String, String)>;

/// A repository's objects and branches.
#[derive(Debug, Default)]
pub struct Git {
    /// Branches by name.
    pub refs: BTreeMap<String, String>,
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
    pub(super) trees: BTreeMap<String, Tree>,
    pub(super) commits: BTreeMap<String, Commit>,
    /// Branches that were moved to where they lose commits; must stay empty.
    pub forced: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Commit {
    tree: String,
    parents: Vec<String>,
    message: String,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its branch.
    pub head: String,
    /// The commit at the end of its branch when it was closed.
    pub closed_at: Option<String>,
    /// Where it is to go.
    pub base: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Whether it is open.
    pub open: bool,
    /// Whether it was merged.
    pub merged: bool,
}

pub(super) fn hash(kind: &str, content: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("{kind} {}\0", content.len()));
    hash.update(content);
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

impl Git {
    pub(super) fn with(branch: &str, files: &[(&str, &[u8])]) -> Git {
        let mut git = Git::default();
        git.push(branch, files, "first");
        git
    }

    /// Commits these files onto a branch, as a person would; says the commit.
    pub fn push(&mut self, branch: &str, files: &[(&str, &[u8])], message: &str) -> String {
        let parent = self.refs.get(branch).cloned();
        let mut tree = parent.as_ref().map(|parent| self.tree_at(parent)).unwrap_or_default();
        for (path, content) in files {
            let blob = self.blob(content.to_vec());
            tree.insert((*path).to_owned(), ("100644".to_owned(), blob));
        }
        let tree = self.tree(tree);
        let commit = self.commit(tree, parent.into_iter().collect(), message.to_owned());
        self.refs.insert(branch.to_owned(), commit.clone());
        commit
    }

    /// What a file holds at the end of a branch or at a commit.
    pub fn file(&self, at: &str, path: &str) -> Option<Vec<u8>> {
        let commit = self.refs.get(at).map_or(at, String::as_str);
        let (_, blob) = self.tree_at(commit).remove(path)?;
        self.blobs.get(&blob).cloned()
    }

    /// A commit's parents.
    pub fn parents(&self, commit: &str) -> Vec<String> {
        self.commits.get(commit).map(|commit| commit.parents.clone()).unwrap_or_default()
    }

    pub(super) fn tree_at(&self, commit: &str) -> Tree {
        let tree = self.commits.get(commit).map(|commit| &commit.tree);
        tree.and_then(|tree| self.trees.get(tree)).cloned().unwrap_or_default()
    }

    pub(super) fn blob(&mut self, content: Vec<u8>) -> String {
        let sha = hash("blob", &content);
        self.blobs.insert(sha.clone(), content);
        sha
    }

    pub(super) fn tree(&mut self, tree: Tree) -> String {
        let sha = hash("tree", format!("{tree:?}").as_bytes());
        self.trees.insert(sha.clone(), tree);
        sha
    }

    pub(super) fn commit(&mut self, tree: String, parents: Vec<String>, message: String) -> String {
        let number = self.commits.len();
        let sha = hash("commit", format!("{number} {tree} {parents:?} {message}").as_bytes());
        self.commits.insert(sha.clone(), Commit { tree, parents, message });
        sha
    }

    /// A commit and all before it, the nearest first.
    fn history(&self, commit: &str) -> Vec<String> {
        let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
        let mut next = VecDeque::from([commit.to_owned()]);
        while let Some(commit) = next.pop_front() {
            if seen.insert(commit.clone()) {
                next.extend(self.parents(&commit));
                order.push(commit);
            }
        }
        order
    }
}

pub(super) fn answer(world: &mut World, name: &str, asked: &Asked, rest: &[&str]) -> Reply {
    let login = world.login.clone();
    let Some(repository) = world.repositories.get_mut(name) else { return Reply::not_found() };
    let git = &mut repository.git;
    match (asked.method.as_str(), rest) {
        ("GET", ["git", "ref", name]) => {
            let branch = name.trim_start_matches("heads/");
            match git.refs.get(branch) {
                Some(sha) => Reply::json(200, reference(branch, sha)),
                None => Reply::not_found(),
            }
        }
        ("POST", ["git", "refs"]) => {
            let branch = asked.text("ref").trim_start_matches("refs/heads/").to_owned();
            if git.refs.contains_key(&branch) {
                return Reply::says(422, "Reference already exists");
            }
            let sha = asked.text("sha");
            git.refs.insert(branch.clone(), sha.clone());
            Reply::json(201, reference(&branch, &sha))
        }
        ("PATCH", ["git", "refs", name]) => {
            let (branch, sha) = (name.trim_start_matches("heads/").to_owned(), asked.text("sha"));
            let Some(now) = git.refs.get(&branch).cloned() else { return Reply::not_found() };
            if !git.history(&sha).contains(&now) {
                if asked.body.get("force") != Some(&Value::Bool(true)) {
                    return Reply::says(422, "Update is not a fast forward");
                }
                git.forced.push(branch.clone());
            }
            git.refs.insert(branch.clone(), sha.clone());
            Reply::json(200, reference(&branch, &sha))
        }
        ("GET", ["git", "commits", sha]) => match git.commits.get(*sha) {
            Some(found) => Reply::json(200, commit(sha, found)),
            None => Reply::not_found(),
        },
        ("POST", ["git", "blobs"]) => {
            let content = asked.text("content");
            let decoded = match asked.text("encoding").as_str() {
                "base64" => STANDARD.decode(content).unwrap_or_default(),
                _ => content.into_bytes(),
            };
            let sha = git.blob(decoded);
            Reply::json(201, sample("blob", json!({ "sha": sha })))
        }
        ("POST", ["git", "trees"]) => {
            let mut tree = git.trees.get(&asked.text("base_tree")).cloned().unwrap_or_default();
            for entry in asked.body.get("tree").and_then(Value::as_array).into_iter().flatten() {
                let text =
                    |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
                tree.insert(text("path"), (text("mode"), text("sha")));
            }
            let sha = git.tree(tree);
            Reply::json(201, sample("tree", json!({ "sha": sha })))
        }
        ("POST", ["git", "commits"]) => {
            let parents = asked.body.get("parents").and_then(Value::as_array).into_iter().flatten();
            let parents = parents.filter_map(Value::as_str).map(str::to_owned).collect();
            let sha = git.commit(asked.text("tree"), parents, asked.text("message"));
            let Some(made) = git.commits.get(&sha) else { return Reply::not_found() };
            Reply::json(201, commit(&sha, made))
        }
        ("GET", ["contents", path @ ..]) => {
            let at = asked.query("ref").unwrap_or("main");
            let path = path.join("/");
            match git.file(at, &path) {
                Some(content) => {
                    let sha = hash("blob", &content);
                    let facts = json!({ "path": path, "sha": sha, "size": content.len(), "content": STANDARD.encode(content) });
                    Reply::json(200, sample("content", facts))
                }
                None => Reply::not_found(),
            }
        }
        ("GET", ["compare", range]) => {
            let Some((base, head)) = range.split_once("...") else { return Reply::not_found() };
            Reply::json(200, compared(git, base, head))
        }
        (_, ["pulls", ..]) => pulls(world, name, asked, rest, &login),
        _ => Reply::not_found(),
    }
}

fn pulls(world: &mut World, name: &str, asked: &Asked, rest: &[&str], login: &str) -> Reply {
    let Some(repository) = world.repositories.get_mut(name) else { return Reply::not_found() };
    let owner = name.split('/').next().unwrap_or_default();
    match (asked.method.as_str(), rest) {
        ("GET", ["pulls"]) => {
            let fits = |pull: &&Pull| {
                asked.query("head").is_none_or(|head| head == format!("{owner}:{}", pull.head))
                    && asked.query("base").is_none_or(|base| base == pull.base)
                    && (asked.query("state") == Some("all") || pull.open)
            };
            let found = repository.pulls.iter().rev().filter(fits);
            let listed = found.map(|pull| shown(&repository.git, name, pull, login)).collect();
            asked.page(world, listed, |_, page| Value::Array(page))
        }
        ("POST", ["pulls"]) => {
            let (head, base) = (asked.text("head"), asked.text("base"));
            if repository.pulls.iter().any(|pull| pull.open && pull.head == head && pull.base == base) {
                return Reply::says(422, "A pull request already exists.");
            }
            let made = Pull {
                number: repository.issues.len() as u64 + repository.pulls.len() as u64 + 1,
                head,
                closed_at: None,
                base,
                title: asked.text("title"),
                body: asked.text("body"),
                open: true,
                merged: false,
            };
            repository.pulls.push(made.clone());
            Reply::json(201, shown(&repository.git, name, &made, login))
        }
        ("PATCH", ["pulls", number]) => {
            let number = number.parse::<u64>().ok();
            let Some(found) = repository.pulls.iter_mut().find(|pull| Some(pull.number) == number) else {
                return Reply::not_found();
            };
            for (field, text) in [("title", &mut found.title), ("body", &mut found.body)] {
                if let Some(new) = asked.body.get(field).and_then(Value::as_str) {
                    new.clone_into(text);
                }
            }
            let found = found.clone();
            Reply::json(200, shown(&repository.git, name, &found, login))
        }
        _ => Reply::not_found(),
    }
}

fn reference(branch: &str, sha: &str) -> Value {
    let example = sample("ref", json!({}));
    let object = with(example.get("object").cloned().unwrap_or_default(), json!({ "sha": sha }));
    with(example, json!({ "ref": format!("refs/heads/{branch}"), "object": object }))
}

fn commit(sha: &str, commit: &Commit) -> Value {
    let example = sample("commit", json!({}));
    let url = example.get("url").cloned().unwrap_or_default();
    let one = |sha: &str| json!({ "sha": sha, "url": url, "html_url": url });
    let parents: Vec<Value> = commit.parents.iter().map(|parent| one(parent)).collect();
    let tree = json!({ "sha": commit.tree, "url": url });
    with(example.clone(), json!({ "sha": sha, "message": commit.message, "tree": tree, "parents": parents }))
}

fn compared(git: &Git, base: &str, head: &str) -> Value {
    let (of_base, of_head) = (git.history(base), git.history(head));
    let ahead = of_head.iter().filter(|commit| !of_base.contains(commit)).count();
    let behind = of_base.iter().filter(|commit| !of_head.contains(commit)).count();
    let common = of_head.iter().find(|commit| of_base.contains(commit));
    let before = common.map(|commit| git.tree_at(commit)).unwrap_or_default();
    let changed = git.tree_at(head).into_iter().filter(|(path, file)| before.get(path) != Some(file));
    let files: Vec<Value> = changed
        .map(|(path, (_, sha))| {
            let url = "https://api.github.com/x";
            json!({ "sha": sha, "filename": path, "status": "modified", "additions": 1, "deletions": 1, "changes": 2,
                "blob_url": url, "raw_url": url, "contents_url": url })
        })
        .collect();
    let status = match (ahead, behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    sample("compare", json!({ "status": status, "ahead_by": ahead, "behind_by": behind, "files": files }))
}

fn shown(git: &Git, name: &str, pull: &Pull, login: &str) -> Value {
    let example = sample("pull", json!({}));
    let tip = pull.closed_at.as_ref().or(git.refs.get(&pull.head)).cloned().unwrap_or_default();
    let side = |field: &str, branch: &str, sha: &str| {
        with(example.get(field).cloned().unwrap_or_default(), json!({ "ref": branch, "sha": sha }))
    };
    let base = git.refs.get(&pull.base).cloned().unwrap_or_default();
    let user = with(example.get("user").cloned().unwrap_or_default(), json!({ "login": login }));
    let facts = json!({
        "number": pull.number,
        "state": if pull.open { "open" } else { "closed" },
        "title": pull.title,
        "body": pull.body,
        "user": user,
        "merged_at": pull.merged.then_some("2026-11-01T00:00:00Z"),
        "merged": pull.merged,
        "head": side("head", &pull.head, &tip),
        "base": side("base", &pull.base, &base),
        "html_url": format!("https://github.com/{name}/pull/{}", pull.number),
    });
    with(example.clone(), facts)
}
