"""`make chaos`: kills every process of a stack again and again, under load; then counts."""
