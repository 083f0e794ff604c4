"""The pages: the figures for people."""
