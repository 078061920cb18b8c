//! Long work on a cache: how far it is, on a terminal, and Ctrl-C.

use std::{sync::Arc, time::Duration};

use regreen_tools::cache::Watch;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

use crate::{
    context::Context,
    exit::{BUG, Failed},
    output::cache::size,
    voice::Counter,
};

/// How often it is said.
const OFTEN: Duration = Duration::from_millis(200);

/// Does `work` in the background. Ctrl-C ends it early; what it has by then is given.
///
/// # Errors
/// Where the work panicked, or the system refuses to tell of signals.
pub async fn watched<T: Send + 'static>(
    context: &Context,
    what: &str,
    work: impl FnOnce(&Watch) -> T + Send + 'static,
) -> Result<T, Failed> {
    let watch = Arc::new(Watch::default());
    let shared = watch.clone();
    let mut done = spawn_blocking(move || work(&shared));
    let mut interrupts = signal(SignalKind::interrupt()).map_err(|e| Failed::new(BUG, e))?;
    let mut ticks = interval(OFTEN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first one comes at once.
    ticks.tick().await;
    let counter = Counter::new(context);
    loop {
        tokio::select! {
            done = &mut done => return done.map_err(|e| Failed::new(BUG, e)),
            _ = interrupts.recv() => watch.stop(),
            _ = ticks.tick() => {
                let (entries, bytes) = watch.so_far();
                counter.show(&format!("{what}: {entries} entries, {}", size(bytes)));
            }
        }
    }
}
