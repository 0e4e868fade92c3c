-- How long the phases of good answers took, by the hour (domain::PhaseSums, store/src/phases.rs): the hours of a day of UTC.
-- `slot` is track * 2^22 + days since 1970.
CREATE TABLE phases (
    slot  BIGINT PRIMARY KEY,
    hours BYTEA NOT NULL                    -- by hour of the day
);
