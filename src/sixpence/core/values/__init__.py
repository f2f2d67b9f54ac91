"""The values that all rooms of the core share: instants, bounds, metadata, stored documents."""
