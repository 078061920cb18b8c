//! Did memory run out, the machine's or a program's own limit of it?

use regreen_domain::{Finding, HealableClass::ResourceExhausted, Standing, Tool};

use super::finding;
use crate::{
    memory::{Kills, Memory},
    space::human,
};

/// Whether the kernel has killed a program of the job for want of memory since `before`, when the command began: one of
/// its own control group. Where the kernel counts for the whole machine only, that confirms nothing: it can have been
/// another job's. `tool` is whose words the log's are.
pub fn memory(tool: &Tool, before: Option<&Kills>) -> Vec<Finding> {
    let (standing, says) = killed(before, &Kills::now(), Memory::now());
    vec![finding("memory", tool.clone(), ResourceExhausted, standing, "", says)]
}

fn killed(before: Option<&Kills>, now: &Kills, memory: Option<Memory>) -> (Standing, String) {
    let programs = |n: u64| if n == 1 { "a program".to_owned() } else { format!("{n} programs") };
    let has = memory
        .map_or(String::new(), |m| format!("; {} of {} are available", human(m.available), human(m.total)));
    let Some(before) = before else {
        return (Standing::CannotTell, format!("nobody counted when the command began{has}"));
    };
    match (now.since(before), now.on_machine_since(before)) {
        (Some(0), 0) | (None, 0) => {
            (Standing::CannotTell, format!("the kernel has killed nothing for want of memory{has}"))
        }
        (Some(0), n) => {
            let of = programs(n);
            (
                Standing::CannotTell,
                format!("the kernel killed {of} for want of memory, but none of this job's group{has}"),
            )
        }
        (None, n) => {
            let of = programs(n);
            (
                Standing::CannotTell,
                format!(
                    "the kernel killed {of} for want of memory on this machine, and does not say whose \
                     (there is no control group that counts){has}"
                ),
            )
        }
        (Some(n), _) => {
            let total =
                memory.map_or(String::new(), |m| format!(" (there are {} for the job)", human(m.total)));
            let of = programs(n);
            (
                Standing::Confirms,
                format!("the kernel killed {of} for want of memory since the command began{total}"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_kill_in_the_job_s_own_group_confirms() {
        let look = |before, now| killed(Some(&before), &now, None);
        let (group, machine) = (Kills::of(Some(1), Some(10)), Kills::of(None, Some(10)));
        let (standing, says) = look(group, Kills::of(Some(2), Some(11)));
        assert_eq!(standing, Standing::Confirms);
        assert_eq!(says, "the kernel killed a program for want of memory since the command began");
        let (standing, says) = look(group, Kills::of(Some(1), Some(12)));
        assert_eq!(standing, Standing::CannotTell);
        assert!(says.contains("2 programs") && says.contains("none of this job's group"), "{says}");
        let (standing, says) = look(machine, Kills::of(None, Some(11)));
        assert_eq!(standing, Standing::CannotTell);
        assert!(says.contains("does not say whose"), "{says}");
        let (standing, says) = look(group, group);
        assert_eq!(standing, Standing::CannotTell);
        assert!(says.contains("has killed nothing"), "{says}");
    }
}
