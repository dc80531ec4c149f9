"""Look-up results in the shape of ``getaddrinfo``.

In: addresses and what the caller asked for. Out: the list of five-tuples. It must not
know the zone: the loop asks it first.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AddressInfo", "address_infos", "host_text"]

AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]

_SERVICES = {"": 0, "http": 80, "ws": 80, "https": 443, "wss": 443}


def host_text(host: Any) -> str | None:
    """Return the host as text; None and an empty one become None."""
    if isinstance(host, (bytes, bytearray)):
        return host.decode("idna")
    return str(host) if host else None


def address_infos(
    addresses: Iterable[str | None],
    port: Any,
    family: int = 0,
    kind: int = 0,
    flags: int = 0,
) -> list[AddressInfo]:
    """Build the answer of ``getaddrinfo``.

    Args:
        addresses: IP literals; None stands for every address with ``AI_PASSIVE``, for
            the loopback addresses without.
        port: A number, a decimal string, a service name, or None for 0.
        family: Only this address family; 0 means both.
        kind: Socket type to report; 0 means ``SOCK_STREAM``.
        flags: ``AI_`` flags of the caller.

    Raises:
        socket.gaierror: No address has the family, or the service is unknown.
    """
    number = _port_number(port)
    infos: list[AddressInfo] = []
    for address in addresses:
        for literal in _expand(address, flags):
            found = socket.AF_INET6 if ":" in literal else socket.AF_INET
            if family in (0, found):
                tail = (0, 0) if found is socket.AF_INET6 else ()
                infos.append(
                    (
                        found,
                        socket.SocketKind(kind or socket.SOCK_STREAM),
                        socket.IPPROTO_TCP,
                        "",
                        (literal, number, *tail),
                    )
                )
    if not infos:
        raise socket.gaierror(
            socket.EAI_NONAME, "No address associated with hostname in this family"
        )
    return infos


def _expand(address: str | None, flags: int) -> tuple[str, ...]:
    if address is not None:
        return (address,)
    if flags & socket.AI_PASSIVE:
        return ("0.0.0.0", "::")
    return ("127.0.0.1", "::1")


def _port_number(port: Any) -> int:
    if port is None:
        return 0
    if isinstance(port, (bytes, bytearray)):
        port = port.decode("ascii")
    if isinstance(port, str) and not port.isdecimal():
        if port not in _SERVICES:
            raise socket.gaierror(
                socket.EAI_SERVICE, f"service {port[:40]!r} is not supported"
            )
        return _SERVICES[port]
    return int(port)
