-- How each way to people does: who is shown that it fails. No record, and no backup has it: the notices that wait are work.

CREATE TABLE sinks (
    name          TEXT PRIMARY KEY,
    -- Notices that it took, and that were given up.
    sent          INTEGER NOT NULL DEFAULT 0,
    given_up      INTEGER NOT NULL DEFAULT 0,
    sent_at       INTEGER,
    failed_at     INTEGER,
    -- Since when none was taken; NULL where the last one was.
    failing_since INTEGER,
    -- Why the last one that failed did; masked.
    why           TEXT
) WITHOUT ROWID;
-- How many wait is counted whenever somebody looks; work is kept for good.
CREATE INDEX work_notices_waiting ON work (key) WHERE kind = 'notice' AND done_at IS NULL;
