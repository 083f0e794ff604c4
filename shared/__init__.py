"""What the services have in common: domain, registry, inbox, tables and settings."""
