-- Patterns that people accepted beside the fleet, each with its file. Few, and kept for good: incidents name them.

CREATE TABLE patterns (
    id          TEXT COLLATE "C" PRIMARY KEY,
    -- The pattern's own id.
    name        TEXT NOT NULL,
    -- Its file.
    text        TEXT NOT NULL,
    at          BIGINT NOT NULL,
    actor       TEXT NOT NULL,
    -- When, and by whom, it was taken back.
    ended_at    BIGINT,
    ended_by    TEXT
);
CREATE INDEX patterns_standing ON patterns (at, id) WHERE ended_at IS NULL;
