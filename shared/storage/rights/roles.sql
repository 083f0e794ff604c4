-- The roles of the application on a PostgreSQL of one's own. Run it once as a superuser in the application's database,
-- before `ikm migrate`; repeating it is harmless:
--   psql --dbname=ikm --file=shared/storage/rights/roles.sql
-- Then give each a password, in psql, where it reaches no log:  \password ikm_read  and the others.
-- `ikm migrate` grants the rights to the tables (shared/storage/rights/grants.py), after every upgrade anew.
\set ON_ERROR_STOP on
BEGIN;
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['ikm_read', 'ikm_work', 'ikm_migrate'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', name);
    END IF;
  END LOOP;
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO ikm_read, ikm_migrate', current_database());
  EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO ikm_work', current_database());
END $$;
ALTER ROLE ikm_read SET default_transaction_read_only = on;
ALTER SCHEMA public OWNER TO ikm_migrate;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
-- What another role made before there were these.
DO $$
DECLARE relation regclass;
BEGIN
  FOR relation IN
    SELECT oid FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relowner <> 'ikm_migrate'::regrole
  LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO ikm_migrate', relation);
  END LOOP;
END $$;
COMMIT;
