"""PostgreSQL: every table and every statement of the product."""
