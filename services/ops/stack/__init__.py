"""The embedded stack: servers and processes of one IKM_HOME, started, watched and stopped."""
