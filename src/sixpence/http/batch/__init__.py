"""`POST /v1/batch`: many commands in one request."""
