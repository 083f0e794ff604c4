"""Running it: the command, the embedded stack and its servers, the simulator."""
