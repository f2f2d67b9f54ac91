"""How the command line reaches credits: through a running server, or by itself where none runs."""
