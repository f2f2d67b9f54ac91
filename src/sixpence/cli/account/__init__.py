"""`sixpence account`: show an account and change it."""
