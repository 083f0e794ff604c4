"""`make chaos`: kills every process of a running stack with SIGKILL, again and again, under load; then counts."""
