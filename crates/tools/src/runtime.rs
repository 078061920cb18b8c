//! The limits that language runtimes set themselves, and how they are raised by the environment.

use regreen_domain::Tool;

use crate::{
    adapter::{Job, Overlay},
    memory::Memory,
};

/// A runtime whose programs run in a heap of limited size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// V8, by `NODE_OPTIONS`. Source: Node's "Command-line API", `NODE_OPTIONS` and `--max-old-space-size`.
    Node,
    /// The JVM, by `JAVA_TOOL_OPTIONS`. Source: the JVM Tool Interface, "JAVA_TOOL_OPTIONS"; `java -Xmx`.
    Java,
    /// PHP as Composer starts it, by `COMPOSER_MEMORY_LIMIT`. Source: Composer's "Command-line interface".
    Composer,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Runtime {
    /// The runtime of one of these tools.
    pub fn of(tools: &[Tool]) -> Option<Runtime> {
        tools.iter().find_map(|tool| match tool.as_str() {
            "node" => Some(Runtime::Node),
            "java" => Some(Runtime::Java),
            "composer" => Some(Runtime::Composer),
            _ => None,
        })
    }

    /// The limit that a program of this job has, in bytes: what the job sets, else about what the runtime takes by itself.
    pub fn limit(self, job: &Job, memory: Memory) -> u64 {
        let var = |name| job.workspace.var(name).unwrap_or_default();
        match self {
            // Source: V8, `Heap::HeapSizeFromPhysicalMemory`.
            Runtime::Node => {
                let default =
                    (memory.total / 4).min(if memory.total >= 15 * GIB { 4 * GIB } else { 2 * GIB });
                last(var("NODE_OPTIONS"), &["--max-old-space-size=", "--max_old_space_size="], MIB)
                    .unwrap_or(default)
            }
            // Source: `java -XX:+PrintFlagsFinal`, MaxRAMPercentage 25.
            Runtime::Java => ["MAVEN_OPTS", "GRADLE_OPTS", "JAVA_TOOL_OPTIONS"]
                .into_iter()
                .find_map(|name| last(var(name), &["-Xmx"], 1))
                .unwrap_or(memory.total / 4),
            // Source: Composer, `bin/composer` (1.5 GB).
            Runtime::Composer => last(var("COMPOSER_MEMORY_LIMIT"), &[""], 1).unwrap_or(3 * GIB / 2),
        }
    }

    /// What lets a program have `bytes`. What is set already stays in front: the last one counts.
    pub fn raised(self, job: &Job, bytes: u64) -> Overlay {
        let mib = bytes / MIB;
        let appended = |name: &str, option: &str| {
            let set = job.workspace.var(name).unwrap_or_default();
            (name.to_owned(), format!("{set} {option}").trim_start().to_owned())
        };
        let env = match self {
            Runtime::Node => vec![appended("NODE_OPTIONS", &format!("--max-old-space-size={mib}"))],
            Runtime::Java => {
                let option = format!("-Xmx{mib}m");
                let mut env = vec![appended("JAVA_TOOL_OPTIONS", &option)];
                // What a tool's own variable says beats it.
                for name in ["MAVEN_OPTS", "GRADLE_OPTS"] {
                    if job.workspace.var(name).is_some_and(|set| set.contains("-Xmx")) {
                        env.push(appended(name, &option));
                    }
                }
                env
            }
            Runtime::Composer => vec![("COMPOSER_MEMORY_LIMIT".to_owned(), format!("{mib}M"))],
        };
        Overlay { env, args: vec![] }
    }
}

/// The last value of one of these options, in bytes; a number without a unit counts in `unit`.
fn last(text: &str, options: &[&str], unit: u64) -> Option<u64> {
    let value =
        |word: &str| options.iter().find_map(|option| word.strip_prefix(option)).and_then(|v| size(v, unit));
    text.split_whitespace().filter_map(value).next_back()
}

fn size(text: &str, unit: u64) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => unit,
        "k" => 1 << 10,
        "m" => MIB,
        "g" => GIB,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use std::{collections::BTreeMap, path::PathBuf};

    use super::*;
    use crate::workspace::Workspace;

    fn job(env: &[(&str, &str)]) -> Job {
        let env: BTreeMap<_, _> = env.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Job { workspace: Workspace::new(PathBuf::from("/"), env), argv: vec!["npm".to_owned()] }
    }

    const MACHINE: Memory = Memory { total: 8 * GIB, available: 6 * GIB };

    #[test]
    fn what_the_job_sets_is_read_and_stays_in_front() {
        let job = job(&[
            ("NODE_OPTIONS", "--require ./x.js --max-old-space-size=64"),
            ("MAVEN_OPTS", "-Xmx512m -ea"),
        ]);
        assert_eq!(Runtime::Node.limit(&job, MACHINE), 64 * MIB);
        assert_eq!(Runtime::Java.limit(&job, MACHINE), 512 * MIB);
        let raised = Runtime::Node.raised(&job, GIB).env;
        let set = "--require ./x.js --max-old-space-size=64 --max-old-space-size=1024".to_owned();
        assert_eq!(raised, [("NODE_OPTIONS".to_owned(), set)]);
        let raised = Runtime::Java.raised(&job, GIB).env;
        assert_eq!(raised[0], ("JAVA_TOOL_OPTIONS".to_owned(), "-Xmx1024m".to_owned()));
        assert_eq!(raised[1], ("MAVEN_OPTS".to_owned(), "-Xmx512m -ea -Xmx1024m".to_owned()));
    }

    #[test]
    fn without_a_word_it_is_the_runtimes_own_limit() {
        assert_eq!(Runtime::Node.limit(&job(&[]), MACHINE), 2 * GIB);
        assert_eq!(Runtime::Java.limit(&job(&[]), MACHINE), 2 * GIB);
        assert_eq!(Runtime::Composer.limit(&job(&[("COMPOSER_MEMORY_LIMIT", "-1")]), MACHINE), 3 * GIB / 2);
        let tools: Vec<Tool> = ["node", "npm"].into_iter().map(|name| Tool::new(name).unwrap()).collect();
        assert_eq!(Runtime::of(&tools), Some(Runtime::Node));
    }
}
