//! What an account may do in a project.
//!
//! Levels and who may see pipelines: <https://docs.gitlab.com/api/members/>, <https://docs.gitlab.com/user/permissions/>
//! ("CI/CD", "Project-based pipeline visibility") and <https://docs.gitlab.com/api/projects/>; `bot` and `state`:
//! <https://docs.gitlab.com/api/users/>.

use std::time::SystemTime;

use super::{
    answers::{Account, Member, OfRequest, Visible},
    client::GitLab,
    pipelines::at,
};
use crate::{ForgeError, Permission, Repository, calls::api::Scope, wire::base::part};

const GUEST: u64 = 10;
const REPORTER: u64 = 20;
const DEVELOPER: u64 = 30;
const MAINTAINER: u64 = 40;

impl GitLab {
    /// What a person may do: members by their level, inherited ones and those of invited groups too; others, and guests, may look where the
    /// project shows them its pipelines. Bots, and accounts that are not active, nothing; a membership that is over is none.
    pub(super) async fn permission_of(
        &self,
        repository: &Repository,
        login: &str,
    ) -> Result<Permission, ForgeError> {
        let what = format!("what {login} may do in {repository}");
        let path = format!("/users?username={}", part(login));
        let named: Vec<Account> = self.api.get(Scope::Of(repository), &what, &path).await?;
        let Some(id) = named.into_iter().find(|account| account.is(login)).map(|account| account.id) else {
            return Ok(Permission::None);
        };
        let path = format!("/users/{id}");
        let account: Option<Account> = self.api.find(Scope::Of(repository), &what, &path).await?;
        // What is told must be about who was asked for, and a machine has no word of a person's.
        if !account.is_some_and(|account| account.is(login) && account.state == "active" && !account.bot) {
            return Ok(Permission::None);
        }
        let path = at(repository, &format!("/members/all/{id}"));
        let member: Option<Member> = self.api.find(Scope::Of(repository), &what, &path).await?;
        let level = match member {
            Some(member) if !member.username.eq_ignore_ascii_case(login) || member.state != "active" => {
                return Ok(Permission::None);
            }
            Some(member) if !is_over(member.expires_at.as_deref(), SystemTime::now()) => member.access_level,
            _ => 0,
        };
        match level {
            MAINTAINER.. => Ok(Permission::Admin),
            DEVELOPER.. => Ok(Permission::Write),
            REPORTER.. => Ok(Permission::Read),
            _ => {
                let path = at(repository, "");
                let project: Visible = self.api.get(Scope::Of(repository), &what, &path).await?;
                Ok(if project.shows_pipelines(level >= GUEST) { Permission::Read } else { Permission::None })
            }
        }
    }

    /// The pipelines of a merge request, whatever they run on: the newest first, the latest hundred.
    pub(super) async fn pipelines_of(
        &self,
        repository: &Repository,
        number: u64,
    ) -> Result<Vec<u64>, ForgeError> {
        let what = format!("the pipelines of merge request {number} of {repository}");
        let path = at(repository, &format!("/merge_requests/{number}/pipelines?per_page=100"));
        let found: Vec<OfRequest> = self.api.get(Scope::Of(repository), &what, &path).await?;
        Ok(found.into_iter().map(|pipeline| pipeline.id).collect())
    }
}

/// Whether a membership has ended: on its day, by UTC. What is no date has.
fn is_over(expires_at: Option<&str>, now: SystemTime) -> bool {
    let today = jiff::Timestamp::try_from(now).map(|now| now.strftime("%Y-%m-%d").to_string());
    expires_at.is_some_and(|day| match (day.get(..10), &today) {
        (Some(day), Ok(today)) => day.parse::<jiff::civil::Date>().is_err() || day <= today.as_str(),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::is_over;

    #[test]
    fn a_membership_ends_on_its_day() {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_996_800); // 2026-11-30
        for (day, over) in [
            (None, false),
            (Some("2026-12-01"), false),
            (Some("2027-01-01T00:00:00Z"), false),
            (Some("2026-11-30"), true),
            (Some("2025-12-31"), true),
            (Some("soon"), true),
            (Some("later than ever"), true),
        ] {
            assert_eq!(is_over(day, now), over, "{day:?}");
        }
    }
}
