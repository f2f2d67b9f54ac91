"""What happens after a commit, beside the write path: the relay that reads the outbox."""
