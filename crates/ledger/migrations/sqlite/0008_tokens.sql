-- Who may read and act over HTTP. Of a token its digest is kept, never its text. That one is made or taken away is in the audit
-- log; that one was used, and who is signed in, is no record.

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    -- SHA-256 of its secret part.
    digest       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    -- NULL: never.
    expires_at   INTEGER,
    -- To the hour.
    last_used_at INTEGER,
    revoked_at   INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked_at IS NULL;

-- A browser in which somebody showed a token.
CREATE TABLE sessions (
    id          TEXT PRIMARY KEY,
    token       TEXT NOT NULL,
    digest      TEXT NOT NULL,
    expires_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (expires_at);
