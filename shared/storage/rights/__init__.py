"""Who may do what in the database: its roles, and their rights to each table."""
