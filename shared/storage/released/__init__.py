"""What the public sees, as it is stored: bins with their parts, sums of them, rows of figures."""
