"""The address a request came from, behind proxies.

`X-Forwarded-For` counts only as far as trusted proxies wrote it. The server below must leave the header alone: uvicorn
with `proxy_headers=False`. Not here: the scheme and the host, which are settings.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import Request

Network = IPv4Network | IPv6Network


def find_client_address(request: Request, trusted_proxies: Sequence[Network]) -> str | None:
    """The nearest address that is not a trusted proxy; None where the connection has no address."""
    nearest = _read(request.client.host) if request.client else None
    if nearest is None:
        return None
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    # Each proxy appends the address of its client: the list is read backwards, while a trusted proxy wrote the entry.
    for text in reversed(forwarded.split(",")):
        if not any(nearest in network for network in trusted_proxies):
            break
        further = _read(text.strip())
        if further is None:
            break
        nearest = further
    return str(nearest)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(_without_port(text))
    except ValueError:
        return None
    # A socket for both kinds shows IPv4 as ::ffff:192.0.2.1, which no IPv4 network contains.
    return getattr(address, "ipv4_mapped", None) or address


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
