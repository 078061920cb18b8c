//! Is a file system full that the job writes to?

use regreen_domain::{Finding, HealableClass::ResourceExhausted, Standing, Tool};

use super::finding;
use crate::{
    adapter::{Adapter, Job},
    space::{Goal, volumes},
};

/// Looks at the file systems of the workspace, of HOME, of TMPDIR and of the package cache. `tool` is whose words the
/// log's are. A disk that has room now refutes nothing: what failed may have tidied up behind itself.
pub async fn disk(job: &Job, adapter: Option<&'static dyn Adapter>, tool: &Tool) -> Vec<Finding> {
    let volumes = volumes(job, adapter).await;
    let say = |standing, subject: &str, says| {
        vec![finding("disk", tool.clone(), ResourceExhausted, standing, subject, says)]
    };
    match volumes.iter().find(|volume| volume.is_starved(Goal::default())) {
        Some(volume) => say(Standing::Confirms, &volume.what, volume.says()),
        None => {
            let says: Vec<String> = volumes.iter().map(|volume| volume.says()).collect();
            say(Standing::CannotTell, "", format!("there is room now: {}", says.join("; ")))
        }
    }
}
