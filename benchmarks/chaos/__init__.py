"""`make chaos`: kills and freezes every process of a stack under load; then counts."""
