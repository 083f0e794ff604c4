"""The benchmarks: each figure is a ratio to a yardstick measured in the same run (see README.md)."""
