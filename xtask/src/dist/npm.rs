//! npm's packages: one for each platform that carries the program, and `regreen`, which starts whichever was installed.
//! Neither runs anything at installation.
//!
//! Source: npm's documentation of package.json, `os`, `cpu` and `optionalDependencies`.

use serde_json::{Value, json};

use super::{
    ABOUT, Built, HOME, VERSION,
    archive::{Member, tar_gz},
    elf::Arch,
    text,
};

/// Names and bytes, as `npm pack` names them.
///
/// # Errors
/// Where something that belongs into one can't be read.
pub fn npm(built: &Built) -> Result<[(String, Vec<u8>); 2], String> {
    let platform = |arch: Arch| format!("@regreen/linux-{}", arch.node());
    let arch = built.elf.arch;
    let mut carrier = facts(&platform(arch), &format!("The program of regreen for Linux, {}", arch.kernel()));
    carrier["os"] = json!(["linux"]);
    carrier["cpu"] = json!([arch.node()]);
    let mut starter = facts("regreen", ABOUT);
    starter["bin"] = json!({"regreen": "bin/regreen.js"});
    starter["engines"] = json!({"node": ">=18"});
    starter["optionalDependencies"] =
        [Arch::X86, Arch::Arm].map(|arch| (platform(arch), Value::from(VERSION))).into_iter().collect();
    let carrier = [
        Member::file("package/package.json", format!("{carrier:#}\n").as_bytes()),
        Member::program("package/bin/regreen", &built.binary),
        Member::file("package/LICENSE-MIT", &text("LICENSE-MIT")?),
        Member::file("package/LICENSE-APACHE", &text("LICENSE-APACHE")?),
    ];
    let starter = [
        Member::file("package/package.json", format!("{starter:#}\n").as_bytes()),
        Member::program("package/bin/regreen.js", &text("packaging/npm/regreen.js")?),
        Member::file("package/README.md", &text("README.md")?),
        Member::file("package/LICENSE-MIT", &text("LICENSE-MIT")?),
        Member::file("package/LICENSE-APACHE", &text("LICENSE-APACHE")?),
    ];
    Ok([
        (format!("regreen-linux-{}-{VERSION}.tgz", arch.node()), tar_gz(&carrier, built.at)?),
        (format!("regreen-{VERSION}.tgz"), tar_gz(&starter, built.at)?),
    ])
}

fn facts(name: &str, about: &str) -> Value {
    json!({
        "name": name,
        "version": VERSION,
        "description": about,
        "license": "MIT OR Apache-2.0",
        "homepage": HOME,
        "repository": {"type": "git", "url": format!("git+{HOME}.git")},
        "files": ["bin", "LICENSE-MIT", "LICENSE-APACHE"],
    })
}
