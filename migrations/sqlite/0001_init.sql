-- Curiad's whole memory, for SQLite. `store` alone speaks SQL; migrations/postgres says the same in that dialect.
--
-- Times are milliseconds of UTC since 1970, given as arguments: no statement reads the clock.
-- `state`, `body` and `what` are JSON of the `domain` type named beside them; columns exist for what SQL must find or forbid.

-- What the database knows of itself: `reference_key`, from which callout references are made.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A Check as seen from one Vantage. Its small number stands for it in `outcome` and `failure`.
CREATE TABLE track (
    id          INTEGER PRIMARY KEY,
    api         TEXT NOT NULL,
    environment TEXT NOT NULL,
    operation   TEXT NOT NULL,
    vantage     TEXT NOT NULL,
    hour        INTEGER,                    -- hours since 1970: where its last outcome is
    state       TEXT,                       -- domain::Track; NULL until its health first changes
    UNIQUE (api, environment, operation, vantage)
) STRICT;

-- Every probe: when, how it was judged, how long it took. Never rewritten; the same probe told twice is one row.
--
-- The minute comes first in the key: rows arrive in time order over all tracks, so a batch touches the few pages of the
-- current minute (a key that begins with the track touches one page a row: four times the cost), old minutes are dense,
-- and what is sealed or pruned is one contiguous range. Reading one track's day is 1,440 look-ups, about 5 ms.
CREATE TABLE outcome (
    minute  INTEGER NOT NULL,               -- minutes since 1970
    track   INTEGER NOT NULL REFERENCES track (id),
    ms      INTEGER NOT NULL,               -- within the minute, 0..=59999
    verdict INTEGER NOT NULL,               -- 0 pass, 1 slow, 2 fail, 3 inconclusive
    total   INTEGER NOT NULL,               -- in steps of 64 µs
    PRIMARY KEY (minute, track, ms)
) STRICT, WITHOUT ROWID;

-- What was not a Pass, in full: never a body.
CREATE TABLE failure (
    track       INTEGER NOT NULL REFERENCES track (id),
    at          INTEGER NOT NULL,
    verdict     INTEGER NOT NULL,           -- as in `outcome`
    confirm     INTEGER NOT NULL,           -- 1: sent to confirm trouble, out of its turn
    total       INTEGER NOT NULL,           -- µs
    layer       TEXT,                       -- NULL: nothing was wrong but the time it took
    kind        TEXT,
    message     TEXT,
    request_id  TEXT,
    http_status INTEGER,
    dns         INTEGER,                    -- phases, µs; NULL: not reached, or no such phase
    connect     INTEGER,
    tls         INTEGER,
    first_byte  INTEGER,
    body        INTEGER,
    PRIMARY KEY (track, at)
) STRICT, WITHOUT ROWID;

-- From `since` until the next row, the instance has this health.
CREATE TABLE status_change (
    api         TEXT NOT NULL,
    environment TEXT NOT NULL,
    since       INTEGER NOT NULL,
    status      TEXT NOT NULL,
    layer       TEXT,
    maintenance INTEGER NOT NULL,
    decided_at  INTEGER NOT NULL,
    why         TEXT NOT NULL,
    PRIMARY KEY (api, environment, since)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident (
    id          INTEGER PRIMARY KEY,
    cause_key   TEXT NOT NULL,
    status      TEXT NOT NULL,
    opened_at   INTEGER NOT NULL,
    resolved_at INTEGER,
    state       TEXT NOT NULL               -- domain::Incident
) STRICT;

-- One open incident per cause: the database refuses a second.
CREATE UNIQUE INDEX incident_open_cause ON incident (cause_key) WHERE status <> 'resolved';
CREATE INDEX incident_resolved ON incident (resolved_at) WHERE status = 'resolved';

-- The outbox. The key is made from what the notification is for: deciding twice cannot send twice.
CREATE TABLE notification (
    key         TEXT NOT NULL PRIMARY KEY,
    incident    INTEGER NOT NULL REFERENCES incident (id) DEFERRABLE INITIALLY DEFERRED,
    rank        INTEGER NOT NULL,           -- lower goes first
    state       TEXT NOT NULL,              -- waiting, sent, given_up, withdrawn
    not_before  INTEGER NOT NULL,           -- moved by a retry
    lease_until INTEGER,                    -- somebody sends it; past: nobody knows what became of it
    uncertain   INTEGER NOT NULL DEFAULT 0, -- the lease before this one ran out
    fence       INTEGER NOT NULL DEFAULT 0, -- claims so far; only the last claimer may settle
    provider_id TEXT,
    why         TEXT,                       -- the last thing that went wrong
    settled_at  INTEGER,
    body        TEXT NOT NULL               -- domain::Notification
) STRICT;

CREATE INDEX notification_waiting ON notification (rank, not_before) WHERE state = 'waiting';
CREATE INDEX notification_given_up ON notification (incident) WHERE state = 'given_up';
CREATE INDEX notification_incident ON notification (incident);

-- One try to send a notification.
CREATE TABLE attempt (
    notification TEXT NOT NULL REFERENCES notification (key),
    fence        INTEGER NOT NULL,
    claimed_at   INTEGER NOT NULL,
    settled_at   INTEGER,                   -- NULL: under way, or its lease ran out
    result       TEXT,                      -- sent, retry, given_up
    detail       TEXT,
    PRIMARY KEY (notification, fence)
) STRICT, WITHOUT ROWID;

-- What people and outside systems told us, in order. Numbers are never used again: who told waits for the answer by it.
CREATE TABLE inbox (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    what     TEXT NOT NULL,                 -- domain::Message
    accepted INTEGER,                       -- NULL: not folded yet; 1: done; 0: refused
    answer   TEXT
) STRICT;

CREATE INDEX inbox_waiting ON inbox (id) WHERE accepted IS NULL;

CREATE TABLE silence (
    id    INTEGER PRIMARY KEY,
    until INTEGER NOT NULL,
    state TEXT NOT NULL                     -- domain::Silence
) STRICT;
