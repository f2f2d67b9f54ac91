"""The values that all rules share: instants, bounds, metadata, stored documents."""
