"""The migrations (Alembic)."""
