-- Sums of the samples of a track (domain::Rollup, store/src/rollup.rs): by local day of the site's zone, kept when hours and
-- samples are no more.

-- The days of a month. `slot` is track * 2^22 + months since the year 0.
CREATE TABLE rollup_days (
    slot    INTEGER PRIMARY KEY,
    rollups BLOB NOT NULL                   -- by day of the month
) STRICT;

-- The hours of a day of UTC whose samples are no longer kept. `slot` is track * 2^22 + days since 1970.
CREATE TABLE rollup_hours (
    slot    INTEGER PRIMARY KEY,
    rollups BLOB NOT NULL                   -- by hour of the day
) STRICT;

-- Hours into which something was sealed that the roll-up of their day does not hold yet.
CREATE TABLE unrolled (
    hour  INTEGER NOT NULL,                 -- since 1970
    track INTEGER NOT NULL REFERENCES track (id),
    PRIMARY KEY (hour, track)
) STRICT, WITHOUT ROWID;

INSERT INTO unrolled (hour, track) SELECT slot & 4194303, slot >> 22 FROM sealed;

-- Blocks of `sealed` that could not be read when something was to be added to them: as they were.
CREATE TABLE damaged (
    slot    INTEGER PRIMARY KEY,
    samples INTEGER NOT NULL,
    block   BLOB NOT NULL
) STRICT;
