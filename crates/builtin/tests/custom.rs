//! Somebody's own pattern files: what is wrong with one is named, and the rest go on without it.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use regreen_catalog::{Catalog, PatternSource};

fn pattern(id: &str, line: &str, more: &str) -> (String, String) {
    let text = format!(
        "id = \"{id}\"\nclass = \"network-timeout\"\ntitle = \"x\"\nsince = \"1\"\nstatus = \"draft\"\nstrength = \"cause\"\n\
         explain = \"x\"\nfix = \"y\"\n{more}\n[match]\nline = '{line}'\n"
    );
    (format!("own/{id}.toml"), text)
}

fn with(files: &[(String, String)]) -> (Catalog, Vec<String>) {
    let files = files.iter().map(|(f, t)| (f.as_str(), t.as_str()));
    let (catalog, wrong) = regreen_builtin::catalog().unwrap().with_custom(PatternSource::Repository, files);
    (catalog, wrong.iter().map(ToString::to_string).collect())
}

#[test]
fn a_folder_needs_no_classes_and_the_source_is_remembered() {
    let (catalog, wrong) = with(&[pattern("ours", "widget is away", "")]);
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(catalog.pattern("ours").unwrap().source, PatternSource::Repository);
    let known = catalog.patterns().iter().find(|p| p.source == PatternSource::BuiltIn).unwrap();
    assert!(!catalog.pattern("ours").unwrap().is_vouched() && known.is_vouched());
    let elsewhere = ("test-failure/ours.toml".to_owned(), pattern("ours", "widget is away", "").1);
    assert!(with(&[elsewhere]).1[0].contains("the folder is `test-failure`"));
}

#[test]
fn what_is_wrong_is_named_and_takes_nothing_else_down() {
    let size = regreen_builtin::catalog().unwrap().patterns().len();
    for ((file, text), want) in [
        (
            pattern("npm-lockfile-unreadable", "widget", ""),
            "own/npm-lockfile-unreadable.toml:1:6: the id `npm-lockfile-unreadable` is taken by a pattern (built-in); help: \
             choose another id, for example `our-npm-lockfile-unreadable`",
        ),
        (
            pattern("repair-lockfile", "widget", ""),
            "own/repair-lockfile.toml:1:6: the id `repair-lockfile` is taken by the catalogue",
        ),
        (
            pattern("b", "widget", "explains = [\"nobody\"]"),
            "own/b.toml: it explains `nobody`, which is no pattern",
        ),
        (pattern("c", "widget(", ""), "own/c.toml:11:8: `widget(` is no regular expression"),
        (
            pattern("d", "widget[a-z]{1,900}x{1,90}(?:[a-m]{1,90}y){1,90}", ""),
            "grows past 64 KiB when compiled",
        ),
        (pattern("e", "widget", "colour = 1"), "own/e.toml:9:1: unknown field `colour`"),
        (
            pattern("f", "widget", "see = [\"a\\u001b[31m\"]"),
            "own/f.toml:1:6: `see` holds a control character",
        ),
        (
            pattern("g", "widget", &format!("# {}", "x".repeat(65 << 10))),
            "own/g.toml: the file is larger than 64 KiB",
        ),
        (pattern("ours", "widget", ""), "the id `ours` is taken by a pattern (repository)"),
    ] {
        let (catalog, wrong) = with(&[pattern("ours", "widget is away", ""), (file, text)]);
        assert!(wrong.len() == 1 && wrong[0].contains(want), "{wrong:?}, not {want}");
        assert_eq!(catalog.patterns().len(), size + 1);
    }
}

#[test]
fn who_explains_one_that_is_left_out_is_left_out() {
    let files = [
        pattern("a", "widget one", "explains = [\"b\"]"),
        pattern("b", "widget two", "explains = [\"c\"]"),
        pattern("c", "widget three(", ""),
        pattern("d", "widget four", "explains = [\"e\"]"),
        pattern("e", "widget five", ""),
    ];
    let (catalog, wrong) = with(&files);
    assert_eq!(wrong.len(), 3);
    let ours = catalog.patterns().iter().filter(|p| p.source == PatternSource::Repository);
    assert_eq!(ours.map(|p| p.id.as_str()).collect::<Vec<_>>(), ["d", "e"]);
    let (again, wrong) =
        (catalog.clone().with_custom_again(PatternSource::Repository, "d.toml", &files[3].1), catalog);
    assert_eq!(again.unwrap().patterns().len(), wrong.patterns().len());
}
