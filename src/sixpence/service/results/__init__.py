"""The values that operations return."""
