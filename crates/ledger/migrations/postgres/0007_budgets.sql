-- What stands in the way of work, what recovery costs, and how much is asked of the CI hosts. The counts are no record: they
-- only limit what is asked.

-- Since when the host has not let the work be done; NULL where nothing stands in its way.
ALTER TABLE work ADD COLUMN stumbles_since BIGINT;

-- How long what was run again took, beside the fleet: its jobs together.
ALTER TABLE incidents
    ADD COLUMN ran_ms BIGINT GENERATED ALWAYS AS ((replace(record, '\u0000', '\ufffd')::jsonb #>> '{timings,command}')::bigint) STORED;

-- Requests to a host by the hour (since 1970), on behalf of a repository; under the empty name stands what only concerns the
-- organisation.
CREATE TABLE host_calls (
    forge        TEXT COLLATE "C" NOT NULL,
    organisation TEXT COLLATE "C" NOT NULL,
    hour         BIGINT NOT NULL,
    repository   TEXT COLLATE "C" NOT NULL,
    calls        BIGINT NOT NULL DEFAULT 0,
    -- Whether it was told that they are used up.
    told         BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (forge, organisation, hour, repository)
);
CREATE INDEX host_calls_by_hour ON host_calls (hour);
