"""The bodies of answers: index, trend and breakdown, from rolling rows or from day tallies."""
