-- A role that owns streamwatch's tables, and nothing else (PostgreSQL).
--
-- Run it as a superuser, in an empty database of streamwatch's own:
--     psql "$DATABASE" -f deploy/sql/worker_role.sql
-- Then make the login of workers, `streamwatch db upgrade` and `db prune`:
--     CREATE ROLE worker LOGIN PASSWORD '...' IN ROLE streamwatch_owner;
--     ALTER ROLE worker SET role = streamwatch_owner;
-- Running it twice changes nothing.
--
-- Workers own the tables, since they make tap tables, their days and their columns; they may do
-- nothing outside of the schema, make no other roles, and read no files of the server.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'streamwatch_owner') THEN
        CREATE ROLE streamwatch_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO streamwatch_owner', current_database());
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', current_schema());
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO streamwatch_owner', current_schema());
END
$$;
