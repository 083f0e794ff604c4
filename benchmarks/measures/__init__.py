"""What is measured: one module each, all of the form `measure(plan) -> figures`."""
