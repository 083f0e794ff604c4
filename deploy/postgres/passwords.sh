#!/bin/sh
# Gives the roles of roles.sql their passwords when the database is made. From the environment, not from the command line, where
# others could read them.
psql --set ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv read READ_PASSWORD
\getenv work WORK_PASSWORD
\getenv migrate MIGRATE_PASSWORD
ALTER ROLE ikm_read PASSWORD :'read';
ALTER ROLE ikm_work PASSWORD :'work';
ALTER ROLE ikm_migrate PASSWORD :'migrate';
SQL
