"""What `ikm apply` and `ikm key` do: change the registry in one transaction, then publish it to every process."""
