"""Day tallies become the figures of every window: segments, sums, summaries, rolling rows."""
