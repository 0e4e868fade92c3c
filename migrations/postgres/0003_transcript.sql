-- What was seen the last time that a check failed, and the last time that it was noted while it was well: at most two rows a
-- track, written over. By allow-list, never a body.
CREATE TABLE transcript (
    track BIGINT NOT NULL REFERENCES track (id),
    good  BOOLEAN NOT NULL,                 -- nothing was wrong
    at    BIGINT NOT NULL,
    state TEXT NOT NULL,                    -- domain::Outcome
    PRIMARY KEY (track, good)
) WITH (fillfactor = 50);

-- From here on `outcome.verdict` is 4 more where the probe went over a connection that was kept: its time is of another kind.
