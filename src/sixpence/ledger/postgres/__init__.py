"""The store on PostgreSQL: its session, its batches and its statements."""
