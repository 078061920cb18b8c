-- What stands in the way of work, what recovery costs, and how much is asked of the CI hosts. The counts are no record: they
-- only limit what is asked.

-- Since when the host has not let the work be done; NULL where nothing stands in its way.
ALTER TABLE work ADD COLUMN stumbles_since INTEGER;

-- How long what was run again took, beside the fleet: its jobs together.
ALTER TABLE incidents ADD COLUMN ran_ms INTEGER GENERATED ALWAYS AS (record ->> '$.timings.command') VIRTUAL;

-- Requests to a host by the hour (since 1970), on behalf of a repository; under the empty name stands what only concerns the
-- organisation.
CREATE TABLE host_calls (
    forge        TEXT NOT NULL,
    organisation TEXT NOT NULL,
    hour         INTEGER NOT NULL,
    repository   TEXT NOT NULL,
    calls        INTEGER NOT NULL DEFAULT 0,
    -- Whether it was told that they are used up.
    told         INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (forge, organisation, hour, repository)
) WITHOUT ROWID;
CREATE INDEX host_calls_by_hour ON host_calls (hour);
