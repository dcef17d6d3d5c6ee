-- A role that may read what analysts need and change nothing (PostgreSQL).
--
-- Run it as the owner of streamwatch's tables, in streamwatch's database:
--     psql "$DATABASE" -f deploy/sql/analyst_role.sql
-- Then make a login that has it; its long queries should not hold up the workers:
--     CREATE ROLE ann LOGIN PASSWORD '...' IN ROLE streamwatch_analyst;
--     ALTER ROLE ann SET statement_timeout = '5min';
-- Run it again after an upgrade; running it twice changes nothing.
--
-- It reads: tap tables, their views and days, rejects, verdicts, incidents, statistics.
-- It does not read: shop_keys (the salts of pseudonyms) and states (which may hold dead letters).

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'streamwatch_analyst') THEN
        CREATE ROLE streamwatch_analyst NOLOGIN;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO streamwatch_analyst', current_database());
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO streamwatch_analyst', current_schema());
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO streamwatch_analyst', current_schema());
    -- Tables that are made later, such as tap tables of new stages, can be read as well.
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO streamwatch_analyst',
                   current_schema());
END
$$;

REVOKE ALL ON shop_keys, states FROM streamwatch_analyst;
