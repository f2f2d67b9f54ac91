"""How commands reach credits as the local operator: through a running server, or in this process."""
