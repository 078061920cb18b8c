//! Commands in comments: whoever may change the code may say what Regreen does about its failures. What is done is what the
//! command line does, with the person's name in the audit log; it is answered in one comment that is edited in place.

use regreen_domain::Outcome;
use regreen_forge::{ForgeError, Permission, Repository, RunRef, hook::Command};
use regreen_ledger::{Incident, IncidentFilter, LedgerError, State};
use regreen_saga::Drive;

use crate::{
    error::EngineError,
    fleet::{
        EndedRun, Fleet, Hand, Next, act,
        answer::{Answer, Put},
        approval::run_of,
        paused::{is_paused, pause_scope},
    },
};

/// A command, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Where it was said: it holds for this repository alone.
    pub repository: Repository,
    /// The host's id of the comment.
    pub comment: u64,
    /// When it came in, in milliseconds since 1970: it means nothing that began later.
    pub at: i64,
    /// The number of the issue or pull request that it is about.
    pub about: Option<u64>,
    /// Whether that is, or may be, a pull or merge request.
    pub on_change: bool,
    /// Whose comment it is, as the host names the account.
    pub author: String,
    /// As the record names that person: with the host, such as `github:ann`.
    pub actor: String,
    /// What is wanted.
    pub command: Command,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Obeyed {
    /// It was carried out, or can't be.
    Done {
        /// What was said, on one line.
        said: String,
        /// A run that is to be looked at by hand.
        look: Option<EndedRun>,
        /// A run whose work is to go on now.
        wake: Option<EndedRun>,
        /// What the author could not be told, and what came of trying.
        unanswered: Option<(Answer, Put)>,
    },
    /// Its author may not say that. Nothing was done, and nothing answered.
    Refused(String),
    /// Not now.
    Later {
        /// In milliseconds since 1970.
        at: i64,
        /// Why.
        why: String,
    },
}

/// Incidents that are looked through for what a command means.
const LOOKED_THROUGH: u32 = 1_000;
/// Runs of which the host is asked to which pull request they belong.
const ASKED: usize = 10;

/// What a command comes to.
struct Said {
    words: String,
    look: Option<EndedRun>,
    wake: Option<EndedRun>,
}

impl Said {
    fn only(words: impl Into<String>) -> Said {
        Said { words: words.into(), look: None, wake: None }
    }
}

/// What was meant, or the words to say that nothing can be.
type Meant = Result<Incident, String>;

impl Fleet {
    /// Does what a comment says. May be called again, where a process died over it: what was done already is not done twice,
    /// and what began after the comment is not meant by it. An answer that fails is no reason to carry it out again: it comes with what was done, to be put later.
    ///
    /// # Errors
    /// The ledger's; worth trying again.
    pub async fn obey(&self, hand: &Hand<'_>, order: &Order) -> Result<Obeyed, EngineError> {
        if !self.config.comments || !self.forge.takes_commands() {
            return Ok(Obeyed::Refused("comments are not obeyed here".to_owned()));
        }
        let now = (hand.now)();
        let own = match self.forge.actor().await {
            Ok(own) => own,
            Err(e) => return Ok(self.refused_or_later(&e, now)),
        };
        if own.login.eq_ignore_ascii_case(&order.author) {
            return Ok(Obeyed::Refused("it is Regreen's own comment".to_owned()));
        }
        let needs = if order.command == Command::Explain { Permission::Read } else { Permission::Write };
        match self.forge.permission(&order.repository, &order.author).await {
            Ok(may) if may >= needs => {}
            Ok(_) => return Ok(Obeyed::Refused("its author may not change this repository".to_owned())),
            Err(e) => return Ok(self.refused_or_later(&e, now)),
        }
        let said = match self.carry_out(hand, order).await? {
            Ok(said) => said,
            Err(later) => return Ok(later),
        };
        let words = self.masker.mask(&said.words).into_owned();
        let unanswered = match Fleet::answer_to(order, &words) {
            Some(answer) => match self.put_answer(&answer, (hand.now)()).await {
                Put::Done => None,
                put => Some((answer, put)),
            },
            None => None,
        };
        Ok(Obeyed::Done { said: words, look: said.look, wake: said.wake, unanswered })
    }

    /// Does what somebody says who has shown elsewhere that they may say it; nobody is answered. May be called again, as
    /// [`Fleet::obey`].
    ///
    /// # Errors
    /// The ledger's; worth trying again.
    pub async fn obey_proven(&self, hand: &Hand<'_>, order: &Order) -> Result<Obeyed, EngineError> {
        let said = match self.carry_out(hand, order).await? {
            Ok(said) => said,
            Err(later) => return Ok(later),
        };
        let words = self.masker.mask(&said.words).into_owned();
        Ok(Obeyed::Done { said: words, look: said.look, wake: said.wake, unanswered: None })
    }

    fn refused_or_later(&self, error: &ForgeError, now: i64) -> Obeyed {
        match self.stumbled(error, now) {
            Next::Later { at, why } | Next::Stumbled { at, why } => Obeyed::Later { at, why },
            Next::Taken { at } => anothers(at),
            Next::Done(settled) => Obeyed::Refused(settled.why),
        }
    }

    async fn carry_out(&self, hand: &Hand<'_>, order: &Order) -> Result<Result<Said, Obeyed>, EngineError> {
        let (ledger, now) = (hand.ledger, (hand.now)());
        let waits =
            |incident: &Incident| waited(incident, order.at) && now < incident.waits_until().unwrap_or(now);
        Ok(Ok(match &order.command {
            Command::Pause => {
                let (repository, about) = (order.repository.as_str(), order.about.unwrap_or_default());
                let scope = pause_scope(Some(self.sender), Some(repository));
                let why = format!("comment {} on #{about}", order.comment);
                // Somebody may have ended it since a process died over this comment.
                if !ledger.was_paused(&scope, &order.actor, &why).await? {
                    ledger.pause(&scope, &order.actor, &why, now).await?;
                } else if !is_paused(ledger, self.sender, repository).await? {
                    return Ok(Ok(Said::only("healing was paused in this repository, and goes on by now.")));
                }
                Said::only(format!(
                    "healing is paused in this repository. `regreen unpause --fleet --host {} --repository {}` lets it go on.",
                    self.sender.id(),
                    order.repository
                ))
            }
            Command::Explain => match self.latest(hand, order).await? {
                Ok(Ok(incident)) => Said::only(explained(&incident)),
                Ok(Err(words)) => Said::only(words),
                Err(later) => return Ok(Err(later)),
            },
            Command::Retry => match self.latest(hand, order).await? {
                Ok(Ok(incident)) => {
                    let look = self.run_of(&incident).map(|(run, _)| EndedRun { run, attempt: None });
                    let run = look.as_ref().map_or(0, |look| look.run.run_id);
                    let words = format!(
                        "run {run} is looked at again. An attempt about which something was decided stays as it is: {}.",
                        outcome(&incident)
                    );
                    Said { words, look, wake: None }
                }
                Ok(Err(words)) => Said::only(words),
                Err(later) => return Ok(Err(later)),
            },
            Command::Approve { incident } => match self.meant(hand, order, incident.as_deref(), waits).await?
            {
                Ok(incident) => match ledger.approve(&incident.id, &order.actor, now).await {
                    Ok(()) => Said {
                        words: format!("`{}` is approved, and goes on if nothing has changed.", incident.id),
                        look: None,
                        wake: woken(&incident),
                    },
                    Err(e) => Said::only(told(&incident, e)?),
                },
                Err(words) => Said::only(words),
            },
            Command::Deny { incident } => match self.meant(hand, order, incident.as_deref(), waits).await? {
                Ok(incident) => match ledger.deny(&incident.id, &order.actor, None, now).await {
                    Ok(()) => Said {
                        words: format!("`{}` is denied; nothing is done about it.", incident.id),
                        look: None,
                        wake: woken(&incident),
                    },
                    Err(e) => Said::only(told(&incident, e)?),
                },
                Err(words) => Said::only(words),
            },
            Command::Rollback { incident } => {
                let acts = |incident: &Incident| acted(incident, order.at);
                match self.meant(hand, order, incident.as_deref(), acts).await? {
                    Ok(incident) => return self.take_back(hand, order, &incident).await,
                    Err(words) => Said::only(words),
                }
            }
        }))
    }

    /// Takes back what an incident has under way: the attempt is cancelled.
    async fn take_back(
        &self,
        hand: &Hand<'_>,
        order: &Order,
        incident: &Incident,
    ) -> Result<Result<Said, Obeyed>, EngineError> {
        let over = |incident: &Incident| {
            Said::only(format!(
                "`{}` is over ({}); a run that has ended can't be taken back.",
                incident.id,
                outcome(incident)
            ))
        };
        if incident.state != State::Open {
            return Ok(Ok(over(incident)));
        }
        if let Some(at) = self.take(hand, &incident.id).await? {
            return Ok(Err(anothers(at)));
        }
        let Some(incident) = hand.ledger.incident(&incident.id).await? else {
            return Ok(Ok(Said::only("there is no such incident.")));
        };
        let (Some((run, attempt)), Some(plan)) = (self.run_of(&incident), incident.plan()) else {
            return Ok(Ok(Said::only(format!("`{}` has done nothing.", incident.id))));
        };
        if incident.state != State::Open {
            return Ok(Ok(over(&incident)));
        }
        if hand.ledger.facts(&incident.id).await?.is_empty() {
            return Ok(Ok(Said::only(format!("`{}` has done nothing yet.", incident.id))));
        }
        let now = (hand.now)();
        hand.ledger.asked_for(&incident.id, hand.owner, "rollback", &order.actor, now).await?;
        let commit = incident.place.commit.clone().unwrap_or_default();
        let case = act::Case {
            run: &run,
            attempt,
            commit: &commit,
            incident: &incident.id,
            plan: &plan,
            only_looks: false,
            gives_up: false,
        };
        let why = format!("{} asked for it", order.actor);
        Ok(match self.act(hand, &case, Drive::Resume, Some(&why)).await? {
            Next::Later { at, why } | Next::Stumbled { at, why } => Err(Obeyed::Later { at, why }),
            Next::Taken { at } => Err(anothers(at)),
            Next::Done(settled) => {
                let word = settled.outcome.map_or("over", Outcome::id);
                Ok(Said::only(format!("`{}` is {word}.", incident.id)))
            }
        })
    }

    /// The incident of this repository with that id; without one, the only one that fits.
    async fn meant(
        &self,
        hand: &Hand<'_>,
        order: &Order,
        named: Option<&str>,
        fits: impl Fn(&Incident) -> bool,
    ) -> Result<Meant, EngineError> {
        if let Some(id) = named {
            let found = hand.ledger.incident(id).await?.filter(|found| self.is_of(found, order));
            return Ok(found.ok_or_else(|| format!("no incident of this repository is called `{id}`.")));
        }
        let mut fitting = self.of_repository(hand, order).await?;
        fitting.retain(fits);
        Ok(match fitting.len() {
            0 => Err("nothing waits for that here.".to_owned()),
            1 => Ok(fitting.remove(0)),
            _ => {
                let ids: Vec<String> = fitting.iter().take(20).map(|one| format!("`{}`", one.id)).collect();
                Err(format!("name which one: {}.", ids.join(", ")))
            }
        })
    }

    /// The newest incident of the pull request that the comment is on.
    async fn latest(&self, hand: &Hand<'_>, order: &Order) -> Result<Result<Meant, Obeyed>, EngineError> {
        if !order.on_change {
            return Ok(Ok(Err("this is about a merge request's failure: say it there.".to_owned())));
        }
        let listed = match order.about {
            Some(number) => self.forge.runs_of_change(&order.repository, number).await,
            None => Ok(None),
        };
        let listed = match listed {
            Err(e) if e.has_to_wait() => return Ok(Err(self.refused_or_later(&e, (hand.now)()))),
            listed => listed.ok().flatten(),
        };
        let mut asked = Vec::new();
        for incident in self.of_repository(hand, order).await? {
            let Some((run, _)) = self.run_of(&incident) else { continue };
            if let Some(listed) = &listed {
                if listed.contains(&run.run_id) {
                    return Ok(Ok(Ok(incident)));
                }
                continue;
            }
            if asked.contains(&run.run_id) {
                continue;
            }
            if asked.len() >= ASKED {
                break;
            }
            asked.push(run.run_id);
            match self.forge.run(&run).await {
                Ok(found) if found.pull_requests.iter().any(|number| Some(*number) == order.about) => {
                    return Ok(Ok(Ok(incident)));
                }
                Err(e) if e.has_to_wait() => return Ok(Err(self.refused_or_later(&e, (hand.now)()))),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(Ok(Err("no failure of this pull request is among the latest on record.".to_owned())))
    }

    async fn of_repository(&self, hand: &Hand<'_>, order: &Order) -> Result<Vec<Incident>, EngineError> {
        let filter = IncidentFilter { limit: LOOKED_THROUGH, ..IncidentFilter::default() };
        let mut all = hand.ledger.incidents(&filter).await?;
        all.retain(|incident| self.is_of(incident, order));
        Ok(all)
    }

    /// The run and attempt of an incident of this host.
    fn run_of(&self, incident: &Incident) -> Option<(RunRef, u32)> {
        run_of(incident).filter(|(sender, ..)| *sender == self.sender).map(|(_, run, attempt)| (run, attempt))
    }

    fn is_of(&self, incident: &Incident, order: &Order) -> bool {
        !incident.imported
            && self.run_of(incident).is_some_and(|(run, _)| {
                run.repository.as_str().eq_ignore_ascii_case(order.repository.as_str())
            })
    }
}

fn anothers(at: i64) -> Obeyed {
    Obeyed::Later { at, why: "another node works on this incident".to_owned() }
}

/// Whether it waited for a person's word, or had one, by `at`.
fn waited(incident: &Incident, at: i64) -> bool {
    match incident.state {
        State::AwaitingApproval => incident.changed_at <= at,
        State::Approved => incident.approval.as_ref().is_some_and(|word| word.at <= at),
        State::Open | State::Closed => false,
    }
}

/// Whether it is under way since before `at`.
fn acted(incident: &Incident, at: i64) -> bool {
    let agreed_later = incident.approval.as_ref().is_some_and(|word| word.at > at);
    incident.state == State::Open && incident.opened_at <= at && !agreed_later
}

fn woken(incident: &Incident) -> Option<EndedRun> {
    run_of(incident).map(|(_, run, attempt)| EndedRun { run, attempt: Some(attempt) })
}

/// An answer for what can't be said of an incident in its state; other errors are errors.
fn told(incident: &Incident, error: LedgerError) -> Result<String, LedgerError> {
    match error {
        LedgerError::WrongState { .. } => {
            Ok(format!("`{}` does not wait for a word ({}).", incident.id, outcome(incident)))
        }
        other => Err(other),
    }
}

fn outcome(incident: &Incident) -> String {
    let because = incident.decision.as_ref().and_then(|decision| decision.because.clone());
    let word = incident.outcome.clone().unwrap_or_else(|| incident.state.id().to_owned());
    because.map_or_else(|| word.clone(), |because| format!("{word}, because of `{because}`"))
}

/// What is on record of an incident. Its texts were masked on their way in; a fence keeps them from being Markdown.
fn explained(incident: &Incident) -> String {
    let diagnosis = &incident.diagnosis;
    let mut words = format!(
        "`{}`, incident `{}`: **{}** (confidence {:.2}), {}.",
        incident.command.join(", ").replace(['`', '\n', '\r'], " "),
        incident.id,
        diagnosis.class,
        diagnosis.confidence,
        outcome(incident)
    );
    let lines: Vec<&str> = diagnosis.evidence.iter().map(|evidence| evidence.text.as_str()).collect();
    if !lines.is_empty() {
        let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max();
        let fence = "`".repeat(longest.unwrap_or_default().max(2) + 1);
        words.push_str(&format!("\n\n{fence}text\n{}\n{fence}", lines.join("\n")));
    }
    words
}
