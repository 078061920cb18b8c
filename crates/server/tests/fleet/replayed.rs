//! A decision beside the fleet, made again by what holds today.

use regreen_domain::Mode;
use regreen_engine::replay;
use regreen_forge::Conclusion;

use crate::{RUN, Stage, host::NETWORK};

#[tokio::test]
async fn it_is_made_again_among_what_works_at_the_host_alone() {
    let catalog = regreen_builtin::catalog().unwrap();
    // The draw among what fits is another for each run.
    for run in RUN..RUN + 8 {
        let stage = Stage::new(Mode::Observe).await;
        stage.host.fail(run, &[("build", NETWORK)]);
        let node = stage.start_one();
        stage.hook("one", run, 1, Conclusion::Failure).await;
        let incident = stage.closed().await;
        node.abort();
        let replayed = replay(&incident, &catalog).unwrap();
        assert_eq!((replayed.differences(), replayed.differences_today()), (Vec::new(), Vec::new()));
    }
}
