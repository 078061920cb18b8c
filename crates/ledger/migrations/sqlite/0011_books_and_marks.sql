-- What is counted is counted once, tokens of jobs are for one repository, and a copy of a ledger is known as one.

-- The last booking of each who adds up requests to hosts: one whose answer was lost is added once.
CREATE TABLE call_books (
    book        TEXT PRIMARY KEY,
    booking     INTEGER NOT NULL,
    at          INTEGER NOT NULL
) WITHOUT ROWID;

-- The repository, in lower case, of which alone a job may speak that shows it; empty for whoever is no job.
ALTER TABLE tokens ADD COLUMN repository TEXT NOT NULL DEFAULT '';

-- What stands in this ledger's folder of the store of logs, and is changed again and again: a copy of the ledger has an older one.
ALTER TABLE identity ADD COLUMN mark TEXT NOT NULL DEFAULT '';
-- The one that is being put there.
ALTER TABLE identity ADD COLUMN next TEXT NOT NULL DEFAULT '';
ALTER TABLE identity ADD COLUMN marked_at INTEGER NOT NULL DEFAULT 0;
