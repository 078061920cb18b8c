-- One JSON document a row is the truth; the columns to search by are derived from it, so that they can't disagree.
-- Every row written here has an entry in `audit` from the same transaction.

CREATE TABLE incidents (
    id          TEXT PRIMARY KEY,
    record      TEXT NOT NULL,
    -- Who may write to it (a fencing token). NULL: it was imported, and nobody may act on it.
    owner       TEXT,
    opened_at   INTEGER GENERATED ALWAYS AS (record ->> '$.opened_at') VIRTUAL,
    state       TEXT GENERATED ALWAYS AS (record ->> '$.state') VIRTUAL,
    outcome     TEXT GENERATED ALWAYS AS (record ->> '$.outcome') VIRTUAL,
    workspace   TEXT GENERATED ALWAYS AS (record ->> '$.place.workspace') VIRTUAL,
    repository  TEXT GENERATED ALWAYS AS (record ->> '$.place.repository') VIRTUAL,
    commit_id   TEXT GENERATED ALWAYS AS (record ->> '$.place.commit') VIRTUAL,
    job         TEXT GENERATED ALWAYS AS (record ->> '$.place.job') VIRTUAL,
    class       TEXT GENERATED ALWAYS AS (record ->> '$.diagnosis.class') VIRTUAL,
    playbook    TEXT GENERATED ALWAYS AS (record ->> '$.decision.plan.playbook') VIRTUAL
);
CREATE INDEX incidents_by_time ON incidents (opened_at, id);
CREATE INDEX incidents_by_state ON incidents (state);
CREATE INDEX incidents_by_commit ON incidents (commit_id, job);

CREATE TABLE facts (
    incident    TEXT NOT NULL REFERENCES incidents (id),
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    fact        TEXT NOT NULL,
    event       TEXT GENERATED ALWAYS AS (fact ->> '$.event.event') VIRTUAL,
    PRIMARY KEY (incident, seq)
);

CREATE TABLE audit (
    seq         INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL,
    prev        TEXT NOT NULL,
    hash        TEXT NOT NULL UNIQUE
);

CREATE TABLE breaker_events (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    class       TEXT NOT NULL,
    service     TEXT NOT NULL,
    repository  TEXT NOT NULL,
    incident    TEXT NOT NULL,
    at          INTEGER NOT NULL,
    event       TEXT NOT NULL
);
CREATE INDEX breaker_events_by_key ON breaker_events (class, service, repository, at, seq);

CREATE TABLE feedback (
    id          TEXT PRIMARY KEY,
    incident    TEXT NOT NULL REFERENCES incidents (id),
    class       TEXT NOT NULL,
    actor       TEXT NOT NULL,
    note        TEXT,
    at          INTEGER NOT NULL
);
CREATE INDEX feedback_by_incident ON feedback (incident, at);

CREATE TABLE pauses (
    id          TEXT PRIMARY KEY,
    scope       TEXT NOT NULL,
    at          INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    ended_at    INTEGER,
    ended_by    TEXT
);
