//! The rules of other tools as drafts: Build Failure Analyzer of Jenkins (XML and JSON), and the log classifier of PyTorch's
//! test infrastructure (TOML). What Regreen's engine can't do as it was meant is named with its reason and skipped.

mod bfa;
mod guess;
mod java;
mod test_infra;

use regreen_catalog::{Catalog, PatternSource};
use regreen_domain::FailureClass;

use crate::{Draft, Drafted, Words, id_for};

/// Largest file that is read, in bytes.
pub const LARGEST_IMPORT: usize = 8 << 20;

/// A rule as the other tool has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// For people.
    name: String,
    /// For people, longer; may be empty.
    says: String,
    /// Its categories.
    categories: Vec<String>,
    /// The expression for Regreen's engine, or why there is none.
    expression: Result<String, String>,
    /// As it stands in the other tool's file.
    theirs: String,
}

/// A rule that is no draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its name.
    pub rule: String,
    /// Its expression.
    pub expression: String,
    /// Why.
    pub why: String,
}

/// What came of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// In the order of the file.
    pub drafts: Vec<Drafted>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

/// Why a file can't be imported at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unimportable(pub String);

/// Reads a file of rules. Its format is told by its first character: `<` is XML, `[` or `{` followed by JSON is JSON, and
/// the rest is TOML. `class` is that of every draft; without it, it is guessed from the rule's words.
///
/// # Errors
/// [`Unimportable`] where it is none of these formats, too large, or a document type is declared in it.
pub fn import(text: &str, class: Option<FailureClass>, catalog: &Catalog) -> Result<Imported, Unimportable> {
    if text.len() > LARGEST_IMPORT {
        return Err(Unimportable(format!("it is larger than {} MiB", LARGEST_IMPORT >> 20)));
    }
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let (rules, from) = if text.starts_with('<') {
        (bfa::xml(text)?, "Jenkins Build Failure Analyzer")
    } else if text.starts_with('{') || (text.starts_with('[') && !text.starts_with("[[rule]]")) {
        (bfa::json(text)?, "Jenkins Build Failure Analyzer")
    } else {
        (test_infra::toml(text)?, "PyTorch test-infra")
    };
    let mut imported = Imported::default();
    for rule in rules {
        let skipped = |why: String| Skipped { rule: rule.name.clone(), expression: rule.theirs.clone(), why };
        let expression = match &rule.expression {
            Ok(expression) => expression.clone(),
            Err(why) => {
                imported.skipped.push(skipped(why.clone()));
                continue;
            }
        };
        let taken = |id: &str| catalog.pattern(id).is_some() || imported.drafts.iter().any(|d| d.id == id);
        let drafted = draft(&rule, expression, class, from, &taken).write();
        let file = format!("{}.toml", drafted.id);
        let (_, wrong) =
            Catalog::default().with_custom(PatternSource::Operator, [(file.as_str(), drafted.text.as_str())]);
        match wrong.into_iter().next() {
            None => imported.drafts.push(drafted),
            Some(e) => imported.skipped.push(skipped(format!("{}; {}", e.what, e.help))),
        }
    }
    Ok(imported)
}

fn draft(
    rule: &Rule,
    expression: String,
    class: Option<FailureClass>,
    from: &str,
    taken: &dyn Fn(&str) -> bool,
) -> Draft {
    let (class, class_note) = match class {
        Some(class) => (class, String::new()),
        None => guess::class(&[&rule.name, &rule.categories.join(" "), &rule.says, &rule.theirs]),
    };
    let says = if rule.says.trim().is_empty() { &rule.name } else { &rule.says };
    Draft {
        id: id_for(&rule.name, taken),
        class,
        class_note,
        tool: None,
        expression,
        examples: Vec::new(),
        about: vec![format!("From {from}: {}", rule.name), format!("Its expression: {}", rule.theirs)],
        words: Some(Words { title: rule.name.clone(), explain: says.trim().to_owned(), rest: None }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use regreen_catalog::Catalog;

    use super::{Imported, import};

    const XML: &str = r#"<?xml version='1.1' encoding='UTF-8'?>
<com.sonyericsson.jenkins.plugins.bfa.PluginImpl plugin="build-failure-analyzer@2.5.0">
  <noCausesEnabled>true</noCausesEnabled>
  <knowledgeBase class="com.sonyericsson.jenkins.plugins.bfa.db.LocalFileKnowledgeBase">
    <causes class="java.util.concurrent.ConcurrentHashMap"><entry><string>1</string>
      <com.sonyericsson.jenkins.plugins.bfa.model.FailureCause>
        <id>1</id><name>Disk of the agent is full</name>
        <description>Clean up &lt;the agent&gt;.</description>
        <categories><string>infra</string></categories>
        <indications>
          <com.sonyericsson.jenkins.plugins.bfa.model.indication.BuildLogIndication>
            <pattern>.*No space left on device.*</pattern>
          </com.sonyericsson.jenkins.plugins.bfa.model.indication.BuildLogIndication>
          <com.sonyericsson.jenkins.plugins.bfa.model.indication.BuildLogIndication>
            <pattern>(?!ignored).*quota exceeded.*</pattern>
          </com.sonyericsson.jenkins.plugins.bfa.model.indication.BuildLogIndication>
          <com.sonyericsson.jenkins.plugins.bfa.model.indication.MultilineBuildLogIndication>
            <pattern>one.*two</pattern>
          </com.sonyericsson.jenkins.plugins.bfa.model.indication.MultilineBuildLogIndication>
        </indications>
      </com.sonyericsson.jenkins.plugins.bfa.model.FailureCause></entry></causes>
  </knowledgeBase>
</com.sonyericsson.jenkins.plugins.bfa.PluginImpl>"#;

    fn ids(imported: &Imported) -> Vec<&str> {
        imported.drafts.iter().map(|d| d.id.as_str()).collect()
    }

    fn reasons(imported: &Imported) -> Vec<&str> {
        imported.skipped.iter().map(|s| s.why.as_str()).collect()
    }

    #[test]
    fn the_analyzer_s_xml() {
        let imported = import(XML, None, &Catalog::default()).unwrap();
        assert_eq!(ids(&imported), ["disk-agent-full"]);
        let text = &imported.drafts[0].text;
        assert!(text.contains("line = 'No space left on device'\n"), "{text}");
        assert!(
            text.contains("class = 'resource-exhausted'  # a guess")
                && text.contains("Clean up <the agent>."),
            "{text}"
        );
        let why = reasons(&imported);
        assert!(why[0].starts_with("look-ahead `(?!`") && why[1].contains("several lines"), "{why:?}");
    }

    #[test]
    fn an_xml_that_declares_entities_is_refused() {
        let bomb = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'x'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        assert!(import(bomb, None, &Catalog::default()).unwrap_err().0.contains("DTD"));
        assert!(import(&"<a>".repeat(100_000), None, &Catalog::default()).is_err());
        let none = import("<a/>", None, &Catalog::default()).unwrap_err().0;
        assert!(none.contains("no failure cause"), "{none}");
    }

    #[test]
    fn the_analyzer_s_json() {
        let json = r#"[{"id":"a","name":"Agent went away","description":"","categories":["infra"],
            "indications":[{"@class":"com.sonyericsson.jenkins.plugins.bfa.model.indication.BuildLogIndication",
            "pattern":"Agent went offline during the build"}]}]"#;
        let imported = import(json, None, &Catalog::default()).unwrap();
        assert_eq!(ids(&imported), ["agent-went-away"]);
        assert!(imported.drafts[0].text.contains("line = '^(?:Agent went offline during the build)$'"));
        let lines = json.replace('\n', " ").trim_start_matches('[').trim_end_matches(']').to_owned();
        assert_eq!(ids(&import(&format!("{lines}\n{lines}\n"), None, &Catalog::default()).unwrap()).len(), 2);
        assert!(import("{}", None, &Catalog::default()).is_err());
    }

    #[test]
    fn the_classifier_s_toml() {
        let toml = "[[rule]]\nname = 'pip connection refused'\npattern = 'ConnectionRefusedError: (?<why>.*)'\n\n\
                    [[rule]]\nname = 'anything'\npattern = '.*'\npriority = 3\n";
        let imported = import(toml, None, &Catalog::default()).unwrap();
        assert_eq!(ids(&imported), ["pip-connection-refused"]);
        let text = &imported.drafts[0].text;
        assert!(
            text.contains("[holes]\nwhy = \"text\"\n") && text.contains("class = 'network-timeout'"),
            "{text}"
        );
        assert!(reasons(&imported)[0].contains("requires no literal text"));
        let twice = import(toml, None, &Catalog::default()).unwrap();
        assert_eq!(twice, imported);
    }
}
