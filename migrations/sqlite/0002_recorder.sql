-- Who records: one program at a time. One row, which every write of the recorder and the deliverer looks at, and which is
-- locked while they write: whoever takes over waits for them, and they find that it did.
--
-- No clock decides, for two machines' clocks differ: who waits to take over watches `fence` and `beat`, and takes over
-- when they have stood still for long enough by its own.
CREATE TABLE recorder (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    fence  INTEGER NOT NULL,                -- how often it was taken; only the last taker may write
    holder TEXT NOT NULL,                   -- who that is, for people to read
    beat   INTEGER NOT NULL,                -- moves while the holder lives
    batch  INTEGER NOT NULL,                -- under this fence, the last batch stored that changed anything
    free   INTEGER NOT NULL                 -- 1: nobody holds it, there is nothing to wait for
) STRICT;

INSERT INTO recorder (id, fence, holder, beat, batch, free) VALUES (1, 0, '', 0, 0, 1);
