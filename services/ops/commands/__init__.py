"""The commands of `ikm`, a module for each family."""
