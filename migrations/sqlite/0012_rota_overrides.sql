-- Who stands in on a rota because somebody said so (domain::RotaOverride).
CREATE TABLE rota_overrides (
    id    INTEGER PRIMARY KEY,
    until INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
