//! What a program needs of the machine, read from itself: the processor, and the version of the C library.
//!
//! Source: the ELF specification, `e_machine` at offset 18; symbol versions are strings `GLIBC_x.y` in its string table.

use std::fmt;

/// A processor that Regreen runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit Intel and AMD.
    X86,
    /// 64-bit Arm.
    Arm,
}

impl Arch {
    /// As the kernel calls it.
    pub fn kernel(self) -> &'static str {
        match self {
            Arch::X86 => "x86_64",
            Arch::Arm => "aarch64",
        }
    }

    /// As Debian and Docker call it.
    pub fn debian(self) -> &'static str {
        match self {
            Arch::X86 => "amd64",
            Arch::Arm => "arm64",
        }
    }

    /// As Node calls it.
    pub fn node(self) -> &'static str {
        match self {
            Arch::X86 => "x64",
            Arch::Arm => "arm64",
        }
    }
}

/// What it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elf {
    /// For which processor.
    pub arch: Arch,
    /// The oldest glibc that has everything, major and minor; `None` where no C library is needed.
    pub glibc: Option<(u32, u32)>,
}

impl Elf {
    /// Reads it.
    ///
    /// # Errors
    /// Where it is no program for a processor that Regreen runs on.
    pub fn of(binary: &[u8]) -> Result<Elf, String> {
        let machine = (binary.get(..4) == Some(b"\x7fELF")).then(|| binary.get(18..20)).flatten();
        let arch = match machine {
            Some([0x3e, 0]) => Arch::X86,
            Some([0xb7, 0]) => Arch::Arm,
            _ => return Err("no Linux program for x86_64 or aarch64".to_owned()),
        };
        let dynamic =
            find(binary, b"/lib64/ld-linux-x86-64.so.2\0") || find(binary, b"/lib/ld-linux-aarch64.so.1\0");
        Ok(Elf { arch, glibc: dynamic.then(|| newest(binary)) })
    }
}

fn find(binary: &[u8], what: &[u8]) -> bool {
    binary.windows(what.len()).any(|window| window == what)
}

fn newest(binary: &[u8]) -> (u32, u32) {
    const MARK: &[u8] = b"GLIBC_2.";
    let at = binary.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK).map(|(at, _)| at);
    let minors = at.filter_map(|at| {
        let digits = binary[at + MARK.len()..].iter().take_while(|byte| byte.is_ascii_digit());
        String::from_utf8(digits.copied().collect()).ok()?.parse().ok()
    });
    (2, minors.max().unwrap_or(0))
}

impl fmt::Display for Elf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.glibc {
            None => write!(f, "{}, statically linked", self.arch.kernel()),
            Some((major, minor)) => write!(f, "{}, needs glibc {major}.{minor}", self.arch.kernel()),
        }
    }
}
