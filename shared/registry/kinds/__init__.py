"""The kinds of channels: what the settings of each may hold."""
