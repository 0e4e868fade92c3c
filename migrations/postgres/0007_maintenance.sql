-- Planned work that somebody announced (domain::Maintenance).
CREATE TABLE maintenance (
    id    BIGINT PRIMARY KEY,
    until BIGINT NOT NULL,
    state TEXT NOT NULL
);
