"""The services: the way in (`ingest`), the way out (`aggregate`), and what an operator runs (`ops`)."""
