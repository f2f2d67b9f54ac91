"""The relay: reads the outbox and adds up usage by day, off the write path."""
