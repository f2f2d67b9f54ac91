"""`sixpence serve`: the server, its sockets and its processes."""
