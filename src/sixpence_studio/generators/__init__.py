"""The picture generators."""
