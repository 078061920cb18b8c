-- What comes in and what is to be done. Neither is a record: what is done about it is, in the incidents, so the audit log
-- has no entries for these.

CREATE TABLE deliveries (
    forge       TEXT NOT NULL,
    id          TEXT NOT NULL,
    event       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    -- Masked, or its digest; NULL once it is no longer kept. That it came is kept for good.
    body        TEXT,
    -- The work that came of it.
    work        TEXT,
    PRIMARY KEY (forge, id)
) WITHOUT ROWID;
CREATE INDEX deliveries_by_time ON deliveries (received_at);

CREATE TABLE work (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL,
    -- Names the effect: the same key is the same work.
    key         TEXT NOT NULL UNIQUE,
    payload     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    -- When it may be taken: while nobody has it, when it is due; else, when the lease ends.
    ready_at    INTEGER NOT NULL,
    -- It was woken while somebody had it.
    woken_at    INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    owner       TEXT,
    -- Counts its claims: who shows an older number writes nothing.
    fence       INTEGER NOT NULL DEFAULT 0,
    done_at     INTEGER,
    outcome     TEXT
);
CREATE INDEX work_to_do ON work (ready_at, id) WHERE done_at IS NULL;
CREATE INDEX work_done ON work (done_at) WHERE done_at IS NOT NULL;
