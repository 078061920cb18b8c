//! The dashboard: pages made on the server from what is on record, one file a page.
//!
//! It reads the ledger and diagnoses nothing; what its forms do is what [`crate::act`] does for the command line and the API. Everything that comes from a log, a repository or a person goes through
//! [`words::shown`] and is escaped by the template; a strict policy forbids the browser whatever is not of here, and the
//! pages need no script to be read.

mod accept;
mod acts;
mod answer;
mod assets;
mod badge;
mod chain;
mod change;
mod chart;
mod decided;
mod diff;
mod excerpt;
mod form;
mod gate;
mod incident;
mod incidents;
mod known;
mod live;
mod log;
mod now;
mod params;
mod reader;
mod review;
mod row;
mod saved;
mod seats;
mod services;
mod settings;
mod sign_in;
mod sinks;
mod suggested;
mod switches;
mod timeline;
mod trends;
mod words;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::Uri,
    middleware::{from_fn_with_state, map_response},
    routing::{get, post},
};
use regreen_engine::{Known, LiveCatalog};
use regreen_ledger::{BreakerPolicy, Ledger};
use tokio::sync::{Notify, Semaphore};

use self::{answer::Failed, live::Feed};
use crate::{access::Access, api::Sinks, happening::Log, shape::Worth};

/// The dashboard.
pub struct Pages {
    /// The fleet's ledger: a handle of its own to read it, so that a long look holds up no work.
    pub ledger: Ledger,
    /// The same for what people do.
    pub writes: Ledger,
    /// Rung when somebody has said something that work waits for.
    pub bell: Arc<Notify>,
    /// What is known of failures and cures, and what people have accepted.
    pub catalog: Arc<LiveCatalog>,
    /// What holds here.
    pub settings: Settings,
    /// What a failure costs.
    pub worth: Worth,
    /// Who may what.
    pub access: Access,
    /// The clock, in milliseconds since 1970.
    pub clock: fn() -> i64,
    /// Is told.
    pub log: Arc<dyn Log>,
    /// The ways out to people that are configured.
    pub sinks: Sinks,
}

/// What holds here, as far as pages show it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// When a circuit breaker opens, and for how long.
    pub breaker: BreakerPolicy,
    /// Hosts of the services that are asked whether they serve.
    pub services: Vec<String>,
    /// Where people see GitHub's runs, e.g. `https://github.com`.
    pub github: String,
    /// Where people see GitLab's pipelines, e.g. `https://gitlab.com`.
    pub gitlab: String,
    /// Each setting that holds.
    pub values: Vec<Values>,
    /// So long a reader waits for figures that are being counted; then they are told that it is under way. With none at all
    /// they see what has been counted before they came.
    pub patience: Duration,
}

impl Settings {
    /// As long as nobody takes for a fault.
    pub const PATIENCE: Duration = Duration::from_millis(700);
}

/// Settings about one matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// What they are about.
    pub about: String,
    /// Each of them.
    pub values: Vec<Value>,
}

/// A setting that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its name, as in the operator's file.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Who said so: a place in a file, a flag, a variable, or nobody.
    pub source: String,
}

/// What every page shares.
pub(crate) struct House {
    pages: Pages,
    feed: Feed,
    /// How often something was done here.
    done: AtomicU64,
    now: now::Kept,
    trends: trends::Windows,
    drafts: suggested::Drafted,
    excerpts: excerpt::Excerpts,
    chain: chain::Chain,
    /// Whoever unpacks a log holds one of these.
    logs: Semaphore,
}

type Shared = State<Arc<House>>;

impl House {
    fn now(&self) -> i64 {
        (self.pages.clock)()
    }

    fn ledger(&self) -> &Ledger {
        &self.pages.ledger
    }

    /// What is known now.
    async fn known(&self) -> Result<Arc<Known>, Failed> {
        self.pages.catalog.look(self.ledger()).await.map_err(|e| self.failed(&e))
    }

    /// Where what people do is put on record.
    fn writes(&self) -> &Ledger {
        &self.pages.writes
    }

    /// Something was done here: whoever waits for a person's word is woken, and who did it sees it on the next page.
    fn did(&self) {
        self.done.fetch_add(1, Ordering::AcqRel);
        self.pages.bell.notify_one();
    }
}

/// The pages, and who ends what they have under way.
pub(crate) struct Opened {
    pub(crate) router: Router,
    house: Arc<House>,
}

impl Opened {
    /// Ends every stream of news, so that its connection can end.
    pub(crate) fn end(&self) {
        self.house.feed.end();
    }
}

impl Pages {
    /// Opens them; news are looked for from here on. Within a tokio runtime.
    pub(crate) fn open(self) -> Opened {
        let feed = Feed::follow(self.ledger.clone(), self.sinks.clone());
        let access = self.access.clone();
        let house = Arc::new(House {
            pages: self,
            feed,
            done: AtomicU64::new(0),
            now: now::Kept::default(),
            trends: trends::Windows::default(),
            drafts: suggested::Drafted::default(),
            excerpts: excerpt::Excerpts::default(),
            chain: chain::Chain::default(),
            logs: Semaphore::new(log::AT_ONCE),
        });
        tokio::spawn(chain::watch(Arc::downgrade(&house)));
        let router = Router::new()
            .route("/", get(now::page))
            .route("/incidents", get(incidents::page))
            .route("/incidents/{id}", get(incident::page))
            .route("/incidents/{id}/logs/{hash}", get(log::page))
            .route("/incidents/{id}/approve", post(acts::approve))
            .route("/incidents/{id}/deny", post(acts::deny))
            .route("/incidents/{id}/rollback", post(acts::roll_back))
            .route("/incidents/{id}/retry", post(acts::retry))
            .route("/incidents/{id}/reopen", post(acts::reopen))
            .route("/incidents/{id}/feedback", post(acts::label))
            .route("/pause", get(switches::ask).post(switches::pause))
            .route("/unpause", get(switches::ask_end).post(switches::unpause))
            .route("/breakers/reset", post(switches::reset))
            .route("/trends", get(trends::page))
            .route("/patterns", get(known::patterns))
            .route("/patterns/suggested", get(suggested::page))
            .route("/patterns/suggested/{id}", get(accept::ask).post(accept::accept))
            .route("/patterns/{id}", get(known::pattern))
            .route("/patterns/{id}/take-back", post(accept::take_back))
            .route("/playbooks", get(known::playbooks))
            .route("/services", get(services::page))
            .route("/settings", get(settings::page))
            .route("/events", get(live::events))
            .route("/sign-in", get(sign_in::form).post(sign_in::begin))
            .route("/sign-out", post(sign_in::end))
            .route("/assets/{name}", get(assets::file))
            .fallback(nowhere)
            .layer(from_fn_with_state(access, gate::admit))
            .layer(map_response(answer::secure))
            .with_state(house.clone());
        Opened { router, house }
    }
}

async fn nowhere(uri: Uri) -> Failed {
    Failed::NoSuchPage(uri.path().to_owned())
}
