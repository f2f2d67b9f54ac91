"""The store on SQLite, as a file or in memory."""
