"""The commands that bring answers in from elsewhere."""
