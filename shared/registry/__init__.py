"""The registry: YAML file, snapshot, changes and the rules that they keep."""
