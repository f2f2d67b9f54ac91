"""The relay: reads the outbox and adds up usage by day, never on the write path."""
