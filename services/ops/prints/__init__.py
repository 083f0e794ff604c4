"""What is printed: QR codes, the sign on a counter, sheets of tickets."""
