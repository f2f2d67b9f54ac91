"""A faster path for plain requests below the path of an account."""
