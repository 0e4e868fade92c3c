-- What was seen the last time that a check failed, and the last time that it was noted while it was well: at most two rows a
-- track, written over. By allow-list, never a body.
CREATE TABLE transcript (
    track INTEGER NOT NULL REFERENCES track (id),
    good  INTEGER NOT NULL,                 -- 1: nothing was wrong; 0: something was
    at    INTEGER NOT NULL,
    state TEXT NOT NULL,                    -- domain::Outcome
    PRIMARY KEY (track, good)
) STRICT, WITHOUT ROWID;

-- From here on `outcome.verdict` is 4 more where the probe went over a connection that was kept: its time is of another kind.
