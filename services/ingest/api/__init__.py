"""What of ingest is FastAPI's: the probes, and the OpenAPI document of every path."""
