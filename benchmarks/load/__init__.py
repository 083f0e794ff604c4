"""What is sent, and the clients that send it: as fast as it is answered, or at a steady rate."""
