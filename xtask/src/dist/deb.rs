//! The Debian package: the program, man pages, completions, units of systemd; no script but telling systemd.
//!
//! Source: deb(5), and Debian Policy chapters 5 (control files) and 9 (where files go).

use super::{
    ABOUT, Built, HOME, VERSION,
    archive::{Member, gz, tar_gz},
    text,
};

/// Tells systemd that there are other units now.
const RELOAD: &[u8] =
    b"#!/bin/sh\nset -e\nif [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi\n";

/// Name and bytes.
///
/// # Errors
/// Where something that belongs into it can't be read.
pub fn deb(built: &Built) -> Result<(String, Vec<u8>), String> {
    let files = files(built)?;
    let arch = built.elf.arch.debian();
    let size: usize = files.iter().map(|file| file.bytes.len().div_ceil(1024)).sum();
    let needs = match built.elf.glibc {
        None => String::new(),
        Some((major, minor)) => format!("Depends: libc6 (>= {major}.{minor})\n"),
    };
    let control = format!(
        "Package: regreen\nVersion: {VERSION}\nArchitecture: {arch}\n\
         Maintainer: The Regreen developers <regreen@users.noreply.github.com>\nInstalled-Size: {size}\n{needs}\
         Recommends: ca-certificates, git\nSection: devel\nPriority: optional\nHomepage: {HOME}\nDescription: {ABOUT}\n \
         Regreen reads the log of a failed CI job, names the cause with a measured\n \
         confidence, heals it by a playbook that can be undone, and verifies that it\n is healed. A failure of the code stays red.\n"
    );
    let sums: String =
        files.iter().map(|file| format!("{}  {}\n", md5(&file.bytes), &file.path["./".len()..])).collect();
    let control = [
        Member::file("./control", control.as_bytes()),
        Member::file("./md5sums", sums.as_bytes()),
        Member::program("./postinst", RELOAD),
        Member::program("./postrm", RELOAD),
    ];
    let parts = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", tar_gz(&control, built.at)?),
        ("data.tar.gz", tar_gz(&files, built.at)?),
    ];
    Ok((format!("regreen_{VERSION}_{arch}.deb"), ar(&parts, built.at)))
}

fn files(built: &Built) -> Result<Vec<Member>, String> {
    let mut files = vec![Member::program("./usr/bin/regreen", &built.binary)];
    for unit in ["regreen-serve.service", "regreen-worker.service"] {
        let bytes = text(&format!("packaging/systemd/{unit}"))?;
        files.push(Member::file(format!("./usr/lib/systemd/system/{unit}"), &bytes));
    }
    for ((_, script), place) in built.completions.iter().zip([
        "bash-completion/completions/regreen",
        "zsh/vendor-completions/_regreen",
        "fish/vendor_completions.d/regreen.fish",
    ]) {
        files.push(Member::file(format!("./usr/share/{place}"), script));
    }
    let doc = "./usr/share/doc/regreen";
    let copyright = [text("packaging/deb/copyright")?, text("LICENSE-MIT")?].concat();
    files.push(Member::file(format!("{doc}/changelog.gz"), &gz(&text("CHANGELOG.md")?)?));
    files.push(Member::file(format!("{doc}/copyright"), &copyright));
    let example = text("packaging/systemd/serve.env.example")?;
    files.push(Member::file(format!("{doc}/examples/serve.env"), &example));
    for (name, page) in &built.man {
        files.push(Member::file(format!("./usr/share/man/man1/{name}.gz"), &gz(page)?));
    }
    Ok(files)
}

/// An archive of ar(5).
fn ar(parts: &[(&str, Vec<u8>)], at: u64) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, bytes) in parts {
        let head = format!("{name:<16}{at:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, "100644", bytes.len());
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(bytes);
        if bytes.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

/// What `md5sums` holds, against damage and not against anybody.
fn md5(bytes: &[u8]) -> String {
    use md5::{Digest, Md5};
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
