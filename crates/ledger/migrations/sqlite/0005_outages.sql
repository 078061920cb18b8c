-- Services that jobs could not use, who waits for them, and what people were told. None of it is a record: what is done about
-- a job is, in the incidents, so the audit log has no entries for these.

CREATE TABLE sightings (
    incident    TEXT NOT NULL,
    -- A host that the operator or Regreen knows; never one that only a log names.
    service     TEXT NOT NULL,
    class       TEXT NOT NULL,
    repository  TEXT NOT NULL,
    -- When the job ended.
    at          INTEGER NOT NULL,
    PRIMARY KEY (incident, service, class)
) WITHOUT ROWID;
CREATE INDEX sightings_by_service ON sightings (service, at);

-- A service that does not answer, from when that was noticed until it does.
CREATE TABLE outages (
    id          TEXT PRIMARY KEY,
    service     TEXT NOT NULL,
    class       TEXT NOT NULL,
    began_at    INTEGER NOT NULL,
    -- Since when it is known that several repositories met it.
    known_at    INTEGER,
    -- When it was told.
    told_at     INTEGER,
    probed_at   INTEGER,
    -- Answers in a row, up to the latest probe.
    answers     INTEGER NOT NULL DEFAULT 0,
    ended_at    INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX outages_now ON outages (service) WHERE ended_at IS NULL;
CREATE INDEX outages_over ON outages (service, ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE waits (
    incident    TEXT PRIMARY KEY,
    outage      TEXT NOT NULL,
    -- The work that is woken.
    work        INTEGER,
    -- When it first had to wait.
    since       INTEGER NOT NULL,
    -- When it may go; NULL while the service is down.
    go_at       INTEGER
) WITHOUT ROWID;
CREATE INDEX waits_by_outage ON waits (outage) WHERE go_at IS NULL;

-- An issue at the CI host: one for each subject that is open.
CREATE TABLE escalations (
    id          TEXT PRIMARY KEY,
    forge       TEXT NOT NULL,
    repository  TEXT NOT NULL,
    -- A fingerprint, or a service.
    subject     TEXT NOT NULL,
    -- The latest incident.
    incident    TEXT NOT NULL,
    opened_at   INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    -- Its number, once there is one.
    issue       INTEGER,
    -- When what it is about was last seen to work again.
    green_at    INTEGER,
    closed_at   INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX escalations_now ON escalations (forge, repository, subject) WHERE closed_at IS NULL;
