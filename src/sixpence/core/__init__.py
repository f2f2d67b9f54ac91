"""The rules of Sixpence: a deterministic state machine over one account. See README.md in this folder."""
