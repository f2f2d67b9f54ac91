"""The write path: the queue of commands, batches, and the store that a batch needs."""
