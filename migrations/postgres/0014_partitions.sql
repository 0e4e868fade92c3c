-- What grows with every probe is kept in partitions by time (store/src/partition.rs): what is let go of gives its room back as
-- a whole. `outcome` has one for each day of UTC, `sealed` and `failure` one for each month. What has none yet is kept in the
-- default one, so that nothing ever waits for a partition.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

ALTER TABLE outcome RENAME TO outcome_before;
ALTER TABLE sealed RENAME TO sealed_before;
ALTER TABLE failure RENAME TO failure_before;
ALTER INDEX outcome_pkey RENAME TO outcome_before_pkey;
ALTER INDEX sealed_pkey RENAME TO sealed_before_pkey;
ALTER INDEX failure_pkey RENAME TO failure_before_pkey;

CREATE TABLE outcome (
    minute  INTEGER NOT NULL,               -- minutes since 1970
    track   INTEGER NOT NULL,
    ms      INTEGER NOT NULL,               -- within the minute, 0..=59999
    total   INTEGER NOT NULL,               -- in steps of 64 µs
    verdict SMALLINT NOT NULL,              -- 0 pass, 1 slow, 2 fail, 3 inconclusive; 4 more over a kept connection
    PRIMARY KEY (minute, track, ms)
) PARTITION BY RANGE (minute);
CREATE TABLE outcome_default PARTITION OF outcome DEFAULT;

-- By the hour within the slot. A key of the whole table would have to name that hour again, in every row; so each partition
-- has the key for itself: a slot says which partition it is in, so that is a key of all of them.
CREATE TABLE sealed (
    slot    BIGINT NOT NULL,                -- track * 2^22 + hours since 1970
    samples INTEGER NOT NULL,               -- how many are in the block
    block   BYTEA NOT NULL
) PARTITION BY RANGE ((slot & 4194303));
CREATE TABLE sealed_default PARTITION OF sealed (PRIMARY KEY (slot)) DEFAULT;

CREATE TABLE failure (
    track       BIGINT NOT NULL REFERENCES track (id),
    at          BIGINT NOT NULL,
    verdict     BIGINT NOT NULL,            -- as in `outcome`
    confirm     BOOLEAN NOT NULL,           -- sent to confirm trouble, out of its turn
    total       BIGINT NOT NULL,            -- µs
    layer       TEXT,                       -- NULL: nothing was wrong but the time it took
    kind        TEXT,
    message     TEXT,
    request_id  TEXT,
    http_status BIGINT,
    dns         BIGINT,                     -- phases, µs; NULL: not reached, or no such phase
    connect     BIGINT,
    tls         BIGINT,
    first_byte  BIGINT,
    body        BIGINT,
    PRIMARY KEY (track, at)
) PARTITION BY RANGE (at);
CREATE TABLE failure_default PARTITION OF failure DEFAULT;

-- Makes a partition; false: it is there, or some of what belongs into it is kept elsewhere already and stays there.
--
-- Who records may own no table, so these two run as the owner, and do nothing but this. They wait for nobody for long:
-- who comes after them waits, too.
CREATE FUNCTION make_partition(parent TEXT, name TEXT, low BIGINT, high BIGINT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '500ms' AS $$
BEGIN
    IF parent NOT IN ('outcome', 'sealed', 'failure') OR name !~ ('^' || parent || '_[0-9]{6,8}$') THEN
        RAISE invalid_parameter_value USING MESSAGE = 'not a partition of ours: ' || name;
    END IF;
    IF to_regclass(quote_ident(name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)', name, parent, low, high);
    IF parent = 'sealed' THEN
        EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (slot)', name);
    END IF;
    RETURN true;
EXCEPTION
    -- The default partition has some of it; one from before partitions were made reaches so far; another program made it.
    WHEN check_violation OR invalid_object_definition OR duplicate_table OR unique_violation THEN
        RETURN false;
END $$;

-- Drops a partition that is empty; false: it is not.
CREATE FUNCTION drop_partition(parent TEXT, name TEXT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '500ms' AS $$
DECLARE
    is_empty BOOLEAN;
BEGIN
    IF parent NOT IN ('outcome', 'sealed', 'failure') OR name = parent || '_default' OR NOT EXISTS (
        SELECT FROM pg_inherits
        WHERE inhparent = to_regclass(quote_ident(parent)) AND inhrelid = to_regclass(quote_ident(name))
    ) THEN
        RAISE invalid_parameter_value USING MESSAGE = 'not a partition of ours: ' || name;
    END IF;
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', name) INTO is_empty;
    IF is_empty THEN
        -- The whole table: who would put something in is not yet on its way to a partition that goes.
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent);
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', name) INTO is_empty;
    END IF;
    IF is_empty THEN
        EXECUTE format('DROP TABLE %I', name);
    END IF;
    RETURN is_empty;
END $$;

REVOKE EXECUTE ON FUNCTION make_partition, drop_partition FROM PUBLIC;

-- Whoever might use the tables before may use them now; who could write may have partitions made.
DO $$
DECLARE
    parent TEXT;
    given RECORD;
    who TEXT;
BEGIN
    FOREACH parent IN ARRAY ARRAY['outcome', 'sealed', 'failure'] LOOP
        FOR given IN
            SELECT acl.grantee, acl.privilege_type, acl.is_grantable
            FROM pg_class, aclexplode(relacl) AS acl
            WHERE pg_class.oid = to_regclass(parent || '_before') AND acl.grantee <> relowner
        LOOP
            who := CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(given.grantee)) END;
            EXECUTE format('GRANT %s ON %I TO %s %s', given.privilege_type, parent, who,
                CASE WHEN given.is_grantable THEN 'WITH GRANT OPTION' ELSE '' END);
            IF parent = 'sealed' AND given.privilege_type = 'INSERT' THEN
                EXECUTE format('GRANT EXECUTE ON FUNCTION make_partition, drop_partition TO %s', who);
            END IF;
        END LOOP;
    END LOOP;
END $$;

-- Rows live three hours: they move. Months of blocks and failures stay where they are, as a partition up to the end of the
-- last month of which there is something.
INSERT INTO outcome SELECT minute, track, ms, total, verdict FROM outcome_before;
DROP TABLE outcome_before;

DO $$
DECLARE
    hour BIGINT := (SELECT max(slot & 4194303) FROM sealed_before);
    at_ms BIGINT := (SELECT max(at) FROM failure_before);
    month_after CONSTANT TEXT := 'SELECT extract(epoch FROM date_trunc(''month'', to_timestamp($1) AT TIME ZONE ''UTC'')
                                          + interval ''1 month'')::bigint';
    until BIGINT;
BEGIN
    IF hour IS NULL THEN
        DROP TABLE sealed_before;
    ELSE
        EXECUTE month_after INTO until USING hour * 3600;
        EXECUTE format('ALTER TABLE sealed ATTACH PARTITION sealed_before FOR VALUES FROM (MINVALUE) TO (%s)', until / 3600);
    END IF;
    IF at_ms IS NULL THEN
        DROP TABLE failure_before;
    ELSE
        EXECUTE month_after INTO until USING at_ms / 1000;
        EXECUTE format('ALTER TABLE failure ATTACH PARTITION failure_before FOR VALUES FROM (MINVALUE) TO (%s)', until * 1000);
    END IF;
END $$;
