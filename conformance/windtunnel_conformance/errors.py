"""The tree of normalised client errors, and the error of a wrong case file.

Comes in: class names such as ``timeout.sock_read``. Goes out: whether one is the other
or below it. Must not know: any client's own exceptions; ``clients/*.toml`` does.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# "a.b" is also an "a": an expectation of "timeout" accepts "timeout.pool".
_LEAVES: dict[str, str] = {
    "url": "invalid scheme host",
    "request": "invalid header body",
    "connect": "dns refused unreachable reset",
    "tls": "handshake verify protocol closed",
    "tls.verify": ("hostname expired not_yet_valid untrusted self_signed purpose pin"),
    "proxy": "connect status auth tls",
    "timeout": "total connect sock_connect sock_read pool close",
    "disconnect": "before_response mid_head mid_body reset while_sending",
    "protocol": (
        "status_line header length chunk transfer_coding trailer interim surplus"
    ),
    "limit": "head header_count body decoded redirect message parts interim",
    "redirect": "too_many location scheme body",
    "content": "decode charset json type multipart",
    "status": "",
    "ws": "handshake protocol utf8 size closed not_connected",
    "ws.handshake": "status upgrade accept subprotocol extension",
    "cancelled": "",
    "unsupported": "",
    "adapter": "crash hang protocol",
    "other": "",
}

ERROR_CLASSES: frozenset[str] = frozenset(_LEAVES) | {
    f"{stem}.{leaf}" for stem, leaves in _LEAVES.items() for leaf in leaves.split()
}
"""Every class of the tree, inner nodes included."""


def is_error(seen: str, expected: str) -> bool:
    """Say whether the class ``seen`` is ``expected`` or lies below it."""
    return seen == expected or seen.startswith(f"{expected}.")


def suggestion(word: str, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for a near miss, else an empty text."""
    near = get_close_matches(word, list(allowed), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


class CaseError(ValueError):
    """A case, profile or table file is wrong.

    Attributes:
        file: Name of the file as the caller knows it.
        path: Where in it: ``client[0].request.methd``; empty for the whole file.
        problem: What is wrong, the value seen, and what is allowed.
    """

    def __init__(self, file: str, path: str, problem: str) -> None:
        self.file = file
        self.path = path
        self.problem = problem
        where = f"{file}: {path}" if path else file
        super().__init__(f"{where}: {problem}")


class CorpusError(ValueError):
    """One or more files of a corpus are wrong; ``problems`` has one line for each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        super().__init__("\n".join([f"{count} {noun} in the corpus", *self.problems]))
