"""What tools/verify.py is made of."""
