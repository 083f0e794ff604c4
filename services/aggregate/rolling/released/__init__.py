"""What the public sees: bins move by the release rule, and figures are made of what is released."""
