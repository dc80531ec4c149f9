"""The name service of a simulated world.

In: declarations of names. Out: answers with their delay, and fresh addresses. It must
not know the loop: the loop waits for the delay and turns the answer into what
``getaddrinfo`` returns.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from windtunnel_fakeserver.simulation.errors import UnknownHostError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Answer", "Zone", "is_literal"]

# RFC 2544 gives this block to benchmarks of networks: no real host has such an address.
_POOL = ipaddress.IPv4Network("198.18.0.0/16")
_LOCALHOST = "localhost"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one look-up gives.

    Attributes:
        addresses: IP literals, in the order of preference.
        delay: Virtual seconds until the answer is there.
        error: Error to raise in place of addresses, or None.
    """

    addresses: tuple[str, ...]
    delay: float = 0.0
    error: OSError | None = None


class Zone:
    """All names of one world.

    Names compare without case, without a final dot, and in
    their ASCII form (IDNA).
    """

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {
            _LOCALHOST: Answer(("127.0.0.1",)),
        }
        self._pool = _POOL.hosts()
        self._addresses: set[str] = set()

    def add(self, name: str, addresses: Iterable[str], delay: float = 0.0) -> None:
        """Let ``name`` resolve to ``addresses``; replaces what it resolved to before.

        Args:
            name: A host name.
            addresses: IPv4 or IPv6 literals, at least one, in the order of preference.
            delay: Virtual seconds that each look-up takes, 0 or more.

        Raises:
            ValueError: An address is no IP literal, there is none, or the delay is
                negative.
        """
        literals = tuple(str(ipaddress.ip_address(address)) for address in addresses)
        if not literals:
            raise ValueError(f"host {name[:40]!r} has no address, at least one is due")
        self._set(name, Answer(literals, delay))
        self._addresses.update(literals)

    def fail(
        self,
        name: str,
        error: int | OSError = socket.EAI_NONAME,
        delay: float = 0.0,
    ) -> None:
        """Let every look-up of ``name`` fail.

        Args:
            name: A host name.
            error: An ``EAI_`` number such as ``socket.EAI_AGAIN``, or the error itself.
            delay: Virtual seconds until it fails, 0 or more.

        Raises:
            ValueError: The delay is negative.
        """
        if isinstance(error, int):
            error = socket.gaierror(error, _eai_text(error))
        self._set(name, Answer((), delay, error))

    def declare(self, name: str) -> str:
        """Give ``name`` an address of its own and return it.

        A name that has addresses already keeps them; the first is returned. An IP
        literal is an address of the world from now on, and is returned.
        """
        if is_literal(name):
            literal = str(ipaddress.ip_address(name))
            self._addresses.add(literal)
            return literal
        known = self._answers.get(_canonical(name))
        if known is not None and known.addresses:
            return known.addresses[0]
        address = str(next(self._pool))
        self.add(name, [address])
        return address

    def look_up(self, name: str) -> Answer:
        """Answer one question.

        Raises:
            UnknownHostError: Nobody declared the name.
        """
        answer = self._answers.get(_canonical(name))
        if answer is None:
            raise UnknownHostError(name)
        return answer

    def has_address(self, literal: str) -> bool:
        """Whether some name of this world has this address."""
        return literal in self._addresses

    def _set(self, name: str, answer: Answer) -> None:
        if not answer.delay >= 0:
            raise ValueError(f"delay {answer.delay!r} must not be negative")
        self._answers[_canonical(name)] = answer


def is_literal(host: str) -> bool:
    """Whether ``host`` is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _canonical(name: str) -> str:
    if not name.isascii():
        name = name.encode("idna").decode("ascii")
    return name.rstrip(".").lower()


def _eai_text(number: int) -> str:
    texts = {
        socket.EAI_NONAME: "Name or service not known",
        socket.EAI_AGAIN: "Temporary failure in name resolution",
        socket.EAI_FAIL: "Non-recoverable failure in name resolution",
    }
    return texts.get(number, "Name resolution failed")
