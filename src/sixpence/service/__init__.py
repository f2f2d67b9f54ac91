"""The operations on credits, one definition each, with an async and a sync face. See README.md in this folder."""
