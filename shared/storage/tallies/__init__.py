"""The table of day tallies: added to, summed, checked, rebuilt."""
