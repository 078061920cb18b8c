//! A `.gem`: a tar of the specification, the files, and the checksums of both.

use std::io::Write;

use sha2::Digest;

use super::archive::{IN_MEMORY, MODIFIED, tar_gz};
use super::{Edition, Release, greeting};

/// The gem's file name.
pub(crate) fn file_name(release: Release) -> String {
    format!("{}-{}.gem", release.name, release.version)
}

pub(super) fn gem(release: Release, edition: Edition) -> Vec<u8> {
    let code =
        format!("module {}\n  GREETING = {:?}\nend\n", module_name(release.name), greeting(release, edition));
    let data = tar_gz(&[(format!("lib/{}.rb", release.name), code)]);
    let metadata = gzip(specification(release).as_bytes());
    let sums = gzip(checksums(&metadata, &data).as_bytes());
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in [("metadata.gz", &metadata), ("data.tar.gz", &data), ("checksums.yaml.gz", &sums)]
    {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o444);
        header.set_mtime(MODIFIED);
        builder.append_data(&mut header, name, content.as_slice()).expect(IN_MEMORY);
    }
    builder.into_inner().expect(IN_MEMORY)
}

/// `regreen-lab-alpha` defines `RegreenLabAlpha`.
pub(crate) fn module_name(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::default());
    gzip.write_all(bytes).expect(IN_MEMORY);
    gzip.finish().expect(IN_MEMORY)
}

fn checksums(metadata: &[u8], data: &[u8]) -> String {
    let sha256 = super::digest::sha256_hex;
    let sha512 =
        |bytes: &[u8]| sha2::Sha512::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    format!(
        "---\nSHA256:\n  metadata.gz: {}\n  data.tar.gz: {}\nSHA512:\n  metadata.gz: {}\n  data.tar.gz: {}\n",
        sha256(metadata),
        sha256(data),
        sha512(metadata),
        sha512(data)
    )
}

/// As `gem build` writes it. Source: rubygems 3.3.15, `Gem::Specification#to_yaml`.
fn specification(release: Release) -> String {
    let Release { name, version, needs } = release;
    let requirement = |sign: &str, version: &str, indent: &str| {
        format!(
            "!ruby/object:Gem::Requirement\n{indent}requirements:\n{indent}- - {sign:?}\n\
             {indent}  - !ruby/object:Gem::Version\n{indent}    version: '{version}'\n"
        )
    };
    let dependencies: String = needs
        .iter()
        .map(|needed| {
            let range = requirement("~>", "1.0", "    ");
            format!(
                "- !ruby/object:Gem::Dependency\n  name: {needed}\n  requirement: {range}  type: :runtime\n  \
                 prerelease: false\n  version_requirements: {range}"
            )
        })
        .collect();
    let dependencies = match dependencies.is_empty() {
        true => " []\n".to_owned(),
        false => format!("\n{dependencies}"),
    };
    let any = requirement(">=", "0", "  ");
    format!(
        "--- !ruby/object:Gem::Specification\nname: {name}\nversion: !ruby/object:Gem::Version\n  version: {version}\n\
         platform: ruby\nauthors:\n- Regreen Lab\nautorequire:\nbindir: bin\ncert_chain: []\n\
         date: 1985-10-26 00:00:00.000000000 Z\ndependencies:{dependencies}description:\nemail:\nexecutables: []\n\
         extensions: []\nextra_rdoc_files: []\nfiles:\n- lib/{name}.rb\nhomepage:\nlicenses:\n- MIT\nmetadata: {{}}\n\
         post_install_message:\nrdoc_options: []\nrequire_paths:\n- lib\nrequired_ruby_version: {any}\
         required_rubygems_version: {any}requirements: []\nrubygems_version: 3.3.15\nsigning_key:\n\
         specification_version: 4\nsummary: a package of the Regreen lab\ntest_files: []\n"
    )
}
