"""The read API: the figures as JSON, over HTTP."""
