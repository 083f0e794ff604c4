"""The way in: what a channel sends is on disk in the inbox before it is acknowledged."""
