"""What a command takes over HTTP: one Struct each, as the body of a request and as a line of a batch."""
