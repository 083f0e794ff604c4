"""The read API and its pages: figures from memory, or from sums of day tallies."""
