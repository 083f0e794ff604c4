"""What `verify` asks PostgreSQL: a question names what is wrong, no answer is the good one."""
