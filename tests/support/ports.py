"""Finds a port on loopback for a server that a test starts.

Not here: anything that stays bound. The port is free when the function returns, and the caller binds it next.
"""

import random
import socket

# Below the range from which systems take ports for outgoing connections (32768 on Linux, 49152 elsewhere): between a
# kill and a restart on the same port, no client of another test can be given it.
LOWEST, HIGHEST = 20_000, 32_000


def free_port() -> int:
    """Gives a port that nothing on 127.0.0.1 listens on."""
    while True:
        port = random.randint(LOWEST, HIGHEST)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
