"""What is measured, running: its servers, its processes and what the kernel says of them."""
