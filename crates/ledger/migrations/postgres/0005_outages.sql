-- Services that jobs could not use, who waits for them, and what people were told. None of it is a record: what is done about
-- a job is, in the incidents, so the audit log has no entries for these.

CREATE TABLE sightings (
    incident    TEXT COLLATE "C" NOT NULL,
    -- A host that the operator or Regreen knows; never one that only a log names.
    service     TEXT COLLATE "C" NOT NULL,
    class       TEXT NOT NULL,
    repository  TEXT COLLATE "C" NOT NULL,
    -- When the job ended.
    at          BIGINT NOT NULL,
    PRIMARY KEY (incident, service, class)
);
CREATE INDEX sightings_by_service ON sightings (service, at);

-- A service that does not answer, from when that was noticed until it does.
CREATE TABLE outages (
    id          TEXT COLLATE "C" PRIMARY KEY,
    service     TEXT COLLATE "C" NOT NULL,
    class       TEXT NOT NULL,
    began_at    BIGINT NOT NULL,
    -- Since when it is known that several repositories met it.
    known_at    BIGINT,
    -- When it was told.
    told_at     BIGINT,
    probed_at   BIGINT,
    -- Answers in a row, up to the latest probe.
    answers     BIGINT NOT NULL DEFAULT 0,
    ended_at    BIGINT
);
CREATE UNIQUE INDEX outages_now ON outages (service) WHERE ended_at IS NULL;
CREATE INDEX outages_over ON outages (service, ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE waits (
    incident    TEXT COLLATE "C" PRIMARY KEY,
    outage      TEXT COLLATE "C" NOT NULL,
    -- The work that is woken.
    work        BIGINT,
    -- When it first had to wait.
    since       BIGINT NOT NULL,
    -- When it may go; NULL while the service is down.
    go_at       BIGINT
);
CREATE INDEX waits_by_outage ON waits (outage) WHERE go_at IS NULL;

-- An issue at the CI host: one for each subject that is open.
CREATE TABLE escalations (
    id          TEXT COLLATE "C" PRIMARY KEY,
    forge       TEXT COLLATE "C" NOT NULL,
    repository  TEXT COLLATE "C" NOT NULL,
    -- A fingerprint, or a service.
    subject     TEXT COLLATE "C" NOT NULL,
    -- The latest incident.
    incident    TEXT COLLATE "C" NOT NULL,
    opened_at   BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    -- Its number, once there is one.
    issue       BIGINT,
    -- When what it is about was last seen to work again.
    green_at    BIGINT,
    closed_at   BIGINT
);
CREATE UNIQUE INDEX escalations_now ON escalations (forge, repository, subject) WHERE closed_at IS NULL;
