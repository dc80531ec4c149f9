"""What a workload gets, and how it says that an answer was wrong.

Both clients have one API, so a workload gets the module of one and a session of it, and
does not know whose they are.
"""

from __future__ import annotations

import functools
import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MIB: Final = 1024 * 1024


class WrongAnswerError(Exception):
    """A client did not get what the server sent; its figures would mean nothing."""


def check(what: str, seen: object, expected: object) -> None:
    """Compare an answer with the one that the server gives.

    Raises:
        WrongAnswerError: They differ.
    """
    if seen != expected:
        msg = f"{what} is {repr(seen)[:80]}, not {repr(expected)[:80]}"
        raise WrongAnswerError(msg)


@dataclass(frozen=True, slots=True)
class Site:
    """Where the server is.

    Attributes:
        http: Origin of the plain listener.
        https: Origin of the TLS listener.
        authority: The certificate that the TLS listener's is signed with, as PEM.
    """

    http: str
    https: str
    authority: str

    @classmethod
    def from_json(cls, text: str) -> Site:
        """Read what the server prints."""
        found = json.loads(text)
        return cls(found["http"], found["https"], found["authority"])


@dataclass(frozen=True, slots=True)
class Bench:
    """One client, set up for one workload."""

    client: Any
    session: Any
    site: Site

    def tls(self) -> ssl.SSLContext:
        """Give a context that trusts the server, and verifies it.

        It is always the same: clients keep connections by context, and the warm-up
        is to make the one that is measured.
        """
        return _context(self.site.authority)


@functools.cache
def _context(authority: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority)


if TYPE_CHECKING:
    #: Takes how many operations to do.
    Workload = Callable[[Bench, int], Awaitable[None]]
