-- How long the services take to answer that are asked whether they serve, and when none came. No record: it is forgotten after
-- a week, and no backup has it.

CREATE TABLE probes (
    service     TEXT NOT NULL,
    at          BIGINT NOT NULL,
    -- In milliseconds; NULL where nothing came back.
    took_ms     BIGINT,
    PRIMARY KEY (service, at)
);
