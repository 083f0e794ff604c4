"""An outbox for weak lines: submissions wait in a folder until the service has them."""
