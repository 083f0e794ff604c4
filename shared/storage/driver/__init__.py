"""What psycopg, the driver, is taught beyond what it does by itself."""
