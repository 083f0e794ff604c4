"""What the services have in common: the domain, the registry, the inbox, the tables, the settings."""
