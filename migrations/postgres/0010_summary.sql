-- What the days of a month say of themselves (domain::Summary, store/src/summary.rs): with every row of rollup_days one here, so
-- that a question about each of many days reads no histogram.
CREATE TABLE summary (
    slot BIGINT PRIMARY KEY,
    days BYTEA NOT NULL                -- by day of the month; empty: not said yet
);

-- Those of months from before this table stay empty, and are read from rollup_days.
INSERT INTO summary (slot, days) SELECT slot, ''::bytea FROM rollup_days;
