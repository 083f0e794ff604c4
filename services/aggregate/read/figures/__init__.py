"""The bodies of answers: the index, its trend and its breakdown, from rolling rows or from day tallies."""
