//! Did memory run out, the machine's or a program's own limit of it?

use regreen_domain::{Finding, HealableClass::ResourceExhausted, Standing, Tool};

use super::finding;
use crate::{
    memory::{Kills, Memory},
    space::human,
};

/// Whether the kernel has killed a program for want of memory since `before`, when the command began. `tool` is whose words
/// the log's are.
pub fn memory(tool: &Tool, before: Option<&Kills>) -> Vec<Finding> {
    let say =
        |standing, says: String| vec![finding("memory", tool.clone(), ResourceExhausted, standing, "", says)];
    let killed = before.map_or(0, |before| Kills::now().since(before));
    match (killed, Memory::now()) {
        (0, memory) => {
            let has = memory.map_or(String::new(), |m| {
                format!("; {} of {} are available", human(m.available), human(m.total))
            });
            say(Standing::CannotTell, format!("the kernel has killed nothing for want of memory{has}"))
        }
        (n, memory) => {
            let of = memory.map_or(String::new(), |m| format!(" (there are {} for the job)", human(m.total)));
            let programs = if n == 1 { "a program".to_owned() } else { format!("{n} programs") };
            say(
                Standing::Confirms,
                format!("the kernel killed {programs} for want of memory since the command began{of}"),
            )
        }
    }
}

/// Whether the machine has more memory than the runtime's own limit of `limit` bytes lets a program use.
pub fn heap(tool: &Tool, limit: u64) -> Vec<Finding> {
    let say =
        |standing, says: String| vec![finding("memory", tool.clone(), ResourceExhausted, standing, "", says)];
    let Some(memory) = Memory::now() else {
        return say(Standing::CannotTell, "the kernel does not say how much memory there is".to_owned());
    };
    let has = human(memory.available);
    if memory.available / 2 > limit {
        say(
            Standing::Confirms,
            format!("the limit is about {}, and the machine has {has} to give", human(limit)),
        )
    } else {
        say(Standing::CannotTell, format!("the machine itself has no more than {has} to give"))
    }
}
