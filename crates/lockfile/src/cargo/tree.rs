//! The tables of a `Cargo.lock` as Cargo itself writes it, versions 2 to 4: the quick way.

use super::document::{Document, Package, Text, is_source};
use crate::json::{Json, Value, read_toml_each};

/// The tables; `None` where anything is unusual, of which the whole reader knows more.
pub(super) fn document(text: &str) -> Option<Document> {
    let mut packages = Vec::new();
    let root = read_toml_each(text, "package", |table| {
        packages.push(package(text, &table)?);
        Some(())
    })?;
    let mut document = Document { version: 2, packages, ..Document::default() };
    for member in root.members() {
        match (&*member.key, &member.value.value) {
            ("version", Value::Number("3")) => document.version = 3,
            ("version", Value::Number("4")) => document.version = 4,
            ("package", Value::Array(_)) => {}
            _ => return None,
        }
    }
    (!document.packages.is_empty()).then_some(document)
}

fn package(text: &str, table: &Json<'_>) -> Option<Package> {
    let string = |json: &Json<'_>| json.as_str().map(str::to_owned);
    let name = table.get("name")?;
    let mut package = Package {
        name: string(name)?,
        version: string(table.get("version")?)?,
        source: None,
        checksum: None,
        dependencies: Vec::new(),
        replace: None,
        unknown: None,
        at: name.span.start,
    };
    semver::Version::parse(&package.version).ok()?;
    for member in table.members() {
        let value = &member.value;
        match &*member.key {
            "name" | "version" => {}
            "source" => package.source = Some(string(value).filter(|s| is_source(s))?),
            "checksum" => {
                package.checksum = Some(Text { text: string(value)?, span: value.inner(text) });
            }
            "dependencies" => {
                let Value::Array(items) = &value.value else { return None };
                package.dependencies = items.iter().map(string).collect::<Option<_>>()?;
            }
            _ => return None,
        }
    }
    Some(package)
}

#[cfg(test)]
mod tests {
    use super::super::document::read_whole;
    use super::*;
    use crate::position::Lines;

    #[test]
    fn as_the_whole_reader_has_it() {
        for text in [
            include_str!("../../tests/data/cargo/base.lock"),
            include_str!("../../tests/data/cargo/both.lock"),
            include_str!("../../../../Cargo.lock"),
        ] {
            let (quick, whole) = (document(text).unwrap(), read_whole(text, &Lines::new(text)).unwrap());
            assert_eq!(format!("{quick:?}"), format!("{whole:?}"));
        }
        for odd in ["", "version = 1\n", "[metadata]\n", "[[package]]\nname = \"a\"\n"] {
            assert!(document(odd).is_none(), "{odd}");
        }
    }
}
