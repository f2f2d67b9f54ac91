"""The sockets that a server listens on. They are bound first, so that a port in use is reported in one sentence."""

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from sixpence.cli.terminal.errors import CommandRefusedError

BACKLOG = 2048
LOOPBACK = "127.0.0.1"
ALL_INTERFACES = ("0.0.0.0", "::")
_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@contextmanager
def listen(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Listen on every address of `host`; port 0 binds a free one. Raises `CommandRefusedError`."""
    sockets: list[socket.socket] = []
    try:
        addresses = _addresses(host, port)
        for family, address in addresses:
            address_and_port = (address, port_of(sockets) if sockets and port == 0 else port)
            try:
                sockets.append(_bind(family, address_and_port, is_only=len(addresses) == 1))
            except OSError as error:
                # `localhost` resolves to an IPv6 address also on a machine without IPv6.
                if error.errno not in _ABSENT or (not sockets and (family, address) == addresses[-1]):
                    raise CommandRefusedError(_problem(error, *address_and_port)) from error
        yield sockets
    finally:
        for each in sockets:
            each.close()


def port_of(sockets: list[socket.socket]) -> int:
    """The port that was bound."""
    return int(sockets[0].getsockname()[1])


def loopback_url(sockets: list[socket.socket]) -> str | None:
    """The server's URL on the loopback interface; None when it does not listen there."""
    for each in sockets:
        address, port = ipaddress.ip_address(each.getsockname()[0].partition("%")[0]), each.getsockname()[1]
        if address.is_loopback or address.is_unspecified:
            if address.version == 6:
                return f"http://[::1]:{port}"
            return f"http://{LOOPBACK if address.is_unspecified else address}:{port}"
    return None


def url_for(host: str, port: int) -> str:
    """The URL to print for a host: IPv6 in brackets, "every address" as loopback."""
    if host in ALL_INTERFACES:
        host = LOOPBACK
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        problem = f"host: '{host}' is not an address of this machine ({error})."
        raise CommandRefusedError(f"{problem} Use 127.0.0.1 for this machine, 0.0.0.0 for every network.") from error
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _bind(family: socket.AddressFamily, address: tuple[str, int], *, is_only: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)  # raises on a machine without this family
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if is_only else 1)
        listener.bind(address)
        # A client that connects while the server is starting waits, and is not refused.
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _problem(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port: {port} on {host} is in use. Stop the program that listens there, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"port: {port} needs privileges that this user lacks. Choose one above 1023 with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"host: {host} is not an address of this machine. Choose another with --host, such as 127.0.0.1."
    return f"host: {host}, port {port} cannot be listened on ({error.strerror}). Choose others with --host and --port."
