-- Planned work that somebody announced (domain::Maintenance).
CREATE TABLE maintenance (
    id    INTEGER PRIMARY KEY,
    until INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
