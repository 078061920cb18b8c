//! GitLab's own word for why a job failed, as a sentence.

/// The sentences are GitLab's own where it shows one beside such a job (`app/presenters/commit_status_presenter.rb`); the
/// names are from `app/models/concerns/enums/ci/commit_status.rb`. `None` where the log says why: the script failed.
pub(super) fn sentence(reason: &str) -> Option<String> {
    let said = match reason {
        "" | "script_failure" => return None,
        "unknown_failure" => "There is an unknown failure, please try again",
        "api_failure" => "There has been an API failure, please try again",
        "stuck_or_timeout_failure" => {
            "There has been a timeout failure or the job got stuck. Check your timeout limits or try again"
        }
        "runner_system_failure" => "There has been a runner system failure, please try again",
        "missing_dependency_failure" => "There has been a missing dependency failure",
        "runner_unsupported" => "Your runner is outdated, please upgrade your runner",
        "stale_schedule" => "Delayed job could not be executed by some reason, please try again",
        "job_execution_timeout" => {
            "The script exceeded the maximum execution time set for the job (job execution timeout)"
        }
        "archived_failure" => "The job is archived and cannot be run",
        "unmet_prerequisites" => "The job failed to complete prerequisite tasks",
        "scheduler_failure" => {
            "The scheduler failed to assign job to the runner, please try again or contact system administrator"
        }
        "data_integrity_failure" => {
            "There has been an unknown job problem, please contact your system administrator with the job ID to review the logs"
        }
        "ci_quota_exceeded" => "No more compute minutes available",
        "no_matching_runner" => "No matching runner available",
        "trace_size_exceeded" => "The job log size limit was reached",
        other => return Some(format!("The job failed: {}", other.replace('_', " "))),
    };
    Some(said.to_owned())
}
