-- When somebody last answered a call, by the way it came (domain::ContactProof).
CREATE TABLE contact_proof (
    person TEXT NOT NULL,
    way    TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (person, way)
) STRICT, WITHOUT ROWID;
