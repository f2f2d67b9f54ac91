"""The one write path: queue, batches, and what a batch needs of its store."""
