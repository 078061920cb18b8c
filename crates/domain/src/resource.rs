//! What a machine runs out of.

use std::fmt;

/// What was used up, where a failure is of the class `resource-exhausted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Room, or inodes, on a file system.
    Disk,
    /// The memory of the machine, or of the job's own share of it: something was killed, or was given none.
    Memory,
    /// The limit that a language's runtime sets itself (V8's heap, Java's, PHP's), whatever the machine has.
    Heap,
    /// File handles, watches, processes.
    Handles,
}

impl Resource {
    /// Every one.
    pub const ALL: [Resource; 4] = [Resource::Disk, Resource::Memory, Resource::Heap, Resource::Handles];

    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            Resource::Disk => "disk",
            Resource::Memory => "memory",
            Resource::Heap => "heap",
            Resource::Handles => "handles",
        }
    }

    /// The resource with this id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.id() == id)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
