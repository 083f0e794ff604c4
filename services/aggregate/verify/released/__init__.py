"""The proof of what the public sees: whole steps, and figures made of them alone."""
