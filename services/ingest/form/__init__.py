"""The citizen's page: nine questions on a phone, with or without scripts, also without network."""
