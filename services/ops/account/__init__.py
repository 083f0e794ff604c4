"""As whom everything runs: root hands its home and its programs to an account, and becomes it."""
