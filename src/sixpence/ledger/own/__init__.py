"""A command inside a transaction of the caller's: it commits or rolls back with the caller's own rows."""
