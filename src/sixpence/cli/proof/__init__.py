"""`sixpence verify` and `sixpence checkpoint`."""
