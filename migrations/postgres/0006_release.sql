-- Which version of an API began to run where, as its own answers name it (domain::Release).
CREATE TABLE releases (
    api         TEXT NOT NULL,
    environment TEXT NOT NULL,
    since       BIGINT NOT NULL,            -- milliseconds
    version     TEXT NOT NULL,
    before      TEXT,                       -- the version before it; NULL: it is the first that was seen
    operation   TEXT NOT NULL,              -- whose answers name it
    PRIMARY KEY (api, environment, since)
);
