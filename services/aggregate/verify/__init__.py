"""The proof that nothing was lost, doubled or miscounted."""
