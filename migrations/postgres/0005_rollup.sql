-- Sums of the samples of a track (domain::Rollup, store/src/rollup.rs): by local day of the site's zone, kept when hours and
-- samples are no more.

-- The days of a month. `slot` is track * 2^22 + months since the year 0.
CREATE TABLE rollup_days (
    slot    BIGINT PRIMARY KEY,
    rollups BYTEA NOT NULL                  -- by day of the month
);

-- The hours of a day of UTC whose samples are no longer kept. `slot` is track * 2^22 + days since 1970.
CREATE TABLE rollup_hours (
    slot    BIGINT PRIMARY KEY,
    rollups BYTEA NOT NULL                  -- by hour of the day
);

-- Hours into which something was sealed that the roll-up of their day does not hold yet.
CREATE TABLE unrolled (
    hour  INTEGER NOT NULL,                 -- since 1970
    track INTEGER NOT NULL REFERENCES track (id),
    PRIMARY KEY (hour, track)
);

INSERT INTO unrolled (hour, track) SELECT (slot & 4194303)::int, (slot >> 22)::int FROM sealed;

-- Blocks of `sealed` that could not be read when something was to be added to them: as they were.
CREATE TABLE damaged (
    slot    BIGINT PRIMARY KEY,
    samples INTEGER NOT NULL,
    block   BYTEA NOT NULL
);
