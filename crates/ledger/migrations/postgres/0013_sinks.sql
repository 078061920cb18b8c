-- How each way to people does: who is shown that it fails. No record, and no backup has it: the notices that wait are work.

CREATE TABLE sinks (
    name          TEXT COLLATE "C" PRIMARY KEY,
    -- Notices that it took, and that were given up.
    sent          BIGINT NOT NULL DEFAULT 0,
    given_up      BIGINT NOT NULL DEFAULT 0,
    sent_at       BIGINT,
    failed_at     BIGINT,
    -- Since when none was taken; NULL where the last one was.
    failing_since BIGINT,
    -- Why the last one that failed did; masked.
    why           TEXT
);
-- How many wait is counted whenever somebody looks; work is kept for good.
CREATE INDEX work_notices_waiting ON work (key) WHERE kind = 'notice' AND done_at IS NULL;
