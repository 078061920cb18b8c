-- Masked logs by their content, compressed; the same log is kept once, whoever refers to it. Not in the audit log: its name
-- is its digest.

CREATE TABLE logs (
    -- SHA-256 of the masked text that is kept.
    hash        TEXT PRIMARY KEY,
    -- Bytes of that text, and how many were left out before it.
    size        INTEGER NOT NULL,
    omitted     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    body        BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE incident_logs (
    incident    TEXT NOT NULL,
    name        TEXT NOT NULL,
    hash        TEXT NOT NULL REFERENCES logs (hash),
    at          INTEGER NOT NULL,
    PRIMARY KEY (incident, name)
) WITHOUT ROWID;
CREATE INDEX incident_logs_by_log ON incident_logs (hash);
