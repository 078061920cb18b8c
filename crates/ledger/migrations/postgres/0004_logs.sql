-- Masked logs by their content, compressed; the same log is kept once, whoever refers to it. Not in the audit log: its name
-- is its digest.

CREATE TABLE logs (
    -- SHA-256 of the masked text that is kept.
    hash        TEXT COLLATE "C" PRIMARY KEY,
    -- Bytes of that text, and how many were left out before it.
    size        BIGINT NOT NULL,
    omitted     BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    body        BYTEA NOT NULL
);

CREATE TABLE incident_logs (
    incident    TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    hash        TEXT COLLATE "C" NOT NULL REFERENCES logs (hash),
    at          BIGINT NOT NULL,
    PRIMARY KEY (incident, name)
);
CREATE INDEX incident_logs_by_log ON incident_logs (hash);
