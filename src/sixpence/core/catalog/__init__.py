"""The catalog: features, prices and plans; how it is read, checked, compared and described."""
