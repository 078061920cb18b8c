//! How far Regreen may go: modes and risks.

use std::fmt;

macro_rules! scale {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $id:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The stable id.
            pub const fn id(self) -> &'static str {
                match self { $($name::$variant => $id),+ }
            }

            /// The value with this id.
            pub fn parse(id: &str) -> Option<Self> {
                [$($name::$variant),+].into_iter().find(|v| v.id() == id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.id())
            }
        }
    };
}

scale! {
    /// What Regreen does with a diagnosis it could heal, least first.
    Mode {
        /// Diagnose and record; say nothing of a cure.
        Observe = "observe",
        /// Say what would heal it.
        Suggest = "suggest",
        /// Heal once a person has agreed.
        Approve = "approve",
        /// Heal.
        Auto = "auto",
    }
}

scale! {
    /// The most that a playbook can spoil, least first.
    Risk {
        /// Nothing but a repeated command or a wait.
        Low = "low",
        /// Files that can be put back byte for byte.
        Medium = "medium",
        /// Anything else.
        High = "high",
    }
}
