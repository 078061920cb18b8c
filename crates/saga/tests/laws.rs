//! The saga's laws, on a small world that shows every slip.

#[tokio::test]
async fn broken_anywhere_it_leaves_the_world_as_it_was() {
    regreen_testkit::break_every_step().await;
}

#[tokio::test]
async fn crashed_at_any_write_it_ends_the_same_way() {
    regreen_testkit::crash_at_every_write().await;
}

#[tokio::test]
async fn an_undo_can_be_repeated() {
    regreen_testkit::repeat_every_undo().await;
}

#[tokio::test]
async fn nothing_is_touched_before_it_is_on_record() {
    regreen_testkit::nothing_without_a_journal().await;
}

#[tokio::test]
async fn a_journal_that_refuses_once_turns_the_run_back_at_once() {
    regreen_testkit::turns_back_when_the_journal_refuses_once().await;
}
