"""What a submission is: its identity, and what makes it valid."""
