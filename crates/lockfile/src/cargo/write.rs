//! Writes a `Cargo.lock` as Cargo does.

use super::document::Package;
use super::graph::Index;
use super::place;

/// What is to be written.
pub(super) struct Sheet {
    /// 1 to 4.
    pub(super) version: u64,
    /// In the order of the file.
    pub(super) packages: Vec<Package>,
    /// For each package the positions of those it depends on.
    pub(super) needs: Vec<Vec<usize>>,
    /// `[[patch.unused]]`.
    pub(super) unused: Vec<Package>,
}

/// The text, with the comment that stands at the head of `like`.
pub(super) fn write(sheet: &Sheet, like: &str) -> String {
    let mut text: String = like.split_inclusive('\n').take_while(|l| l.starts_with('#')).collect();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    // Versions 1 and 2 don't say so.
    if sheet.version >= 3 {
        text.push_str(&format!("version = {}\n", sheet.version));
    }
    let apart = sheet.version == 1;
    let index = Index::new(&sheet.packages);
    // Under a bare comment the first table follows without a blank line.
    let mut blank = if sheet.version >= 3 { "\n" } else { "" };
    for (package, needs) in sheet.packages.iter().zip(&sheet.needs) {
        let mut needs: Vec<&Package> = needs.iter().map(|n| &sheet.packages[*n]).collect();
        needs.sort_by(|a, b| (&a.name, &a.version, &a.source).cmp(&(&b.name, &b.version, &b.source)));
        let written: Vec<String> = needs.iter().map(|p| index.shortest(p, apart)).collect();
        text.push_str(std::mem::replace(&mut blank, "\n"));
        text.push_str("[[package]]\n");
        write_table(&mut text, package, apart, &written);
    }
    for package in &sheet.unused {
        text.push_str("\n[[patch.unused]]\n");
        write_table(&mut text, package, apart, &package.dependencies);
    }
    let mut head = "\n[metadata]\n";
    for package in sheet.packages.iter().filter(|_| apart) {
        if let Some(checksum) = &package.checksum {
            text.push_str(head);
            text.push_str(&format!("\"checksum {}\" = \"{}\"\n", place(package), checksum.text));
            head = "";
        }
    }
    text
}

/// One table; `apart` where the checksum stands elsewhere.
fn write_table(text: &mut String, package: &Package, apart: bool, dependencies: &[String]) {
    let mut line = |key: &str, value: &str| text.push_str(&format!("{key} = \"{value}\"\n"));
    line("name", &package.name);
    line("version", &package.version);
    if let Some(source) = &package.source {
        line("source", source);
    }
    if let Some(checksum) = package.checksum.as_ref().filter(|_| !apart) {
        line("checksum", &checksum.text);
    }
    if !dependencies.is_empty() {
        text.push_str("dependencies = [\n");
        for dependency in dependencies {
            text.push_str(&format!(" \"{dependency}\",\n"));
        }
        text.push_str("]\n");
    }
    if let Some(replace) = &package.replace {
        text.push_str(&format!("replace = \"{replace}\"\n"));
    }
}
