"""What callers get back."""
