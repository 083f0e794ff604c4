"""The services: the way in, the way out, and what an operator runs."""
