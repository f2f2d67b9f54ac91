"""The durable side of Sixpence: schema, the one write path, and reads. See README.md in this folder."""
