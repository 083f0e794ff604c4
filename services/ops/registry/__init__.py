"""What `ikm apply` and `ikm key` do: change the registry, then publish it to every process."""
