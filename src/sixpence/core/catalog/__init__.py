"""The catalog: features, prices and plans; reading, validating, comparing and describing it."""
