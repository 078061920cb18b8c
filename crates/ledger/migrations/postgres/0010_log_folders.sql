-- Several ledgers may keep their logs in one store: each has a folder of its own there, and takes nothing out of another's. A
-- restored ledger is another one, and reads what it has not written from where it lies.

CREATE TABLE identity (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    -- Made here, once; no backup has it.
    id          TEXT COLLATE "C" NOT NULL
);
INSERT INTO identity (one, id) VALUES (1, replace(gen_random_uuid()::text, '-', ''));

-- The folder of the store in which a log without a body lies; empty for the store itself, where they lay before.
ALTER TABLE logs ADD COLUMN folder TEXT COLLATE "C" NOT NULL DEFAULT '';
