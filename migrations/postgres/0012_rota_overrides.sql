-- Who stands in on a rota because somebody said so (domain::RotaOverride).
CREATE TABLE rota_overrides (
    id    BIGINT PRIMARY KEY,
    until BIGINT NOT NULL,
    state TEXT NOT NULL
);
