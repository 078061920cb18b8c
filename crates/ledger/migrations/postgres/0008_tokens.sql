-- Who may read and act over HTTP. Of a token its digest is kept, never its text. That one is made or taken away is in the audit
-- log; that one was used, and who is signed in, is no record.

CREATE TABLE tokens (
    id           TEXT COLLATE "C" PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    role         TEXT NOT NULL,
    -- SHA-256 of its secret part.
    digest       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    -- NULL: never.
    expires_at   BIGINT,
    -- To the hour.
    last_used_at BIGINT,
    revoked_at   BIGINT
);
CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked_at IS NULL;

-- A browser in which somebody showed a token.
CREATE TABLE sessions (
    id          TEXT COLLATE "C" PRIMARY KEY,
    token       TEXT NOT NULL,
    digest      TEXT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (expires_at);
