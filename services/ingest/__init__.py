"""The way in: bytes of a channel become submissions that are on disk in the inbox before they are acknowledged."""
