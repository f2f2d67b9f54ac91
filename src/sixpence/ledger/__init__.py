"""The database side of Sixpence: tables, the write path, reads and proofs. See README.md in this folder."""
