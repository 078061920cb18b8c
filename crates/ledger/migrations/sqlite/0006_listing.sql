-- What incidents are listed and counted by. A derived column opens its document each time that it is looked at, an index on
-- it or not; so the columns lie here once more, kept by the triggers, and each list is one walk along one of the indexes.

CREATE TABLE listed (
    id          TEXT PRIMARY KEY,
    opened_at   INTEGER NOT NULL,
    state       TEXT,
    outcome     TEXT,
    class       TEXT,
    repository  TEXT,
    pattern     TEXT,
    fingerprint TEXT,
    playbook    TEXT,
    -- From the first step to the end of the verification, in milliseconds; NULL where nothing was done.
    recovery_ms INTEGER
) WITHOUT ROWID;
INSERT INTO listed
    SELECT id, opened_at, state, outcome, class, repository, pattern, record ->> '$.diagnosis.fingerprint', playbook,
           (record ->> '$.timings.act') + coalesce(record ->> '$.timings.verify', 0) FROM incidents;
-- Holds all that a search or a count looks at.
CREATE INDEX listed_by_time ON listed
    (opened_at, id, state, outcome, class, repository, pattern, fingerprint, playbook, recovery_ms);
CREATE INDEX listed_by_state ON listed (state, opened_at, id);
CREATE INDEX listed_by_outcome ON listed (outcome, opened_at, id);
CREATE INDEX listed_by_class ON listed (class, opened_at, id);
CREATE INDEX listed_by_repository ON listed (repository, opened_at, id);
CREATE INDEX listed_by_pattern ON listed (pattern, opened_at, id);
CREATE INDEX listed_by_fingerprint ON listed (fingerprint, opened_at, id);

CREATE TRIGGER incidents_listed AFTER INSERT ON incidents BEGIN
    INSERT INTO listed VALUES
        (new.id, new.opened_at, new.state, new.outcome, new.class, new.repository, new.pattern,
         new.record ->> '$.diagnosis.fingerprint', new.playbook,
         (new.record ->> '$.timings.act') + coalesce(new.record ->> '$.timings.verify', 0));
END;
CREATE TRIGGER incidents_listed_anew AFTER UPDATE OF record ON incidents BEGIN
    UPDATE listed SET
        opened_at = new.opened_at, state = new.state, outcome = new.outcome, class = new.class,
        repository = new.repository, pattern = new.pattern, fingerprint = new.record ->> '$.diagnosis.fingerprint',
        playbook = new.playbook,
        recovery_ms = (new.record ->> '$.timings.act') + coalesce(new.record ->> '$.timings.verify', 0)
    WHERE id = new.id;
END;
CREATE TRIGGER incidents_no_longer_listed AFTER DELETE ON incidents BEGIN
    DELETE FROM listed WHERE id = old.id;
END;
