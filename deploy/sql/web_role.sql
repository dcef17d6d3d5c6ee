-- A role for `streamwatch web` and `streamwatch incidents ack`: reads what the pages show, and writes
-- what people say of incidents, nothing else (PostgreSQL).
--
-- Run it as the owner of streamwatch's tables, in streamwatch's database:
--     psql "$DATABASE" -f deploy/sql/web_role.sql
-- Then make a login that has it:
--     CREATE ROLE web LOGIN PASSWORD '...' IN ROLE streamwatch_web;
-- Run it again after an upgrade; running it twice changes nothing.
--
-- It reads neither shop_keys (the salts of pseudonyms) nor states (which may hold dead letters).

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'streamwatch_web') THEN
        CREATE ROLE streamwatch_web NOLOGIN;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO streamwatch_web', current_database());
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO streamwatch_web', current_schema());
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO streamwatch_web', current_schema());
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO streamwatch_web', current_schema());
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO streamwatch_web',
                   current_schema());
END
$$;

GRANT INSERT ON acknowledgements TO streamwatch_web;
REVOKE ALL ON shop_keys, states FROM streamwatch_web;
