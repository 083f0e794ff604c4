"""The roles of the embedded database, made by its superuser, which serves for nothing else.

`deploy/roles.sql` makes the same on a server of one's own. What each may do with the tables is
granted with every migration (shared/storage/rights/grants.py).
"""

from typing import LiteralString

READ = "ikm_read"  # the read API
WORK = "ikm_work"  # workers and commands
MIGRATE = "ikm_migrate"  # owns the schema and its tables; `ikm migrate`

_MAKE: LiteralString = """
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
"""
# Of a home whose tables the superuser made, as all did before there were roles.
_TAKE_OVER: LiteralString = """
DO $$
DECLARE relation regclass;
BEGIN
  FOR relation IN
    SELECT oid FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND relowner <> 'ikm_migrate'::regrole
  LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO ikm_migrate', relation);
  END LOOP;
END $$;
"""

# To be run by the superuser in the application's database; repeating it is harmless.
PREPARE = (_MAKE, _TAKE_OVER)
