"""A shorter way for plain requests below the path of an account."""
