"""The one error of the wire layer: the peer broke a rule, and where.

In comes a sentence, the rule and the byte offset; out goes an exception that the
exchange layer turns into the public error tree. It knows nothing of requests.
"""

from __future__ import annotations

from windtunnel._base.compat import override

SEEN_BYTES = 40


class WireError(Exception):
    """The bytes of a response break a rule of HTTP/1.1 or exceed a limit.

    Attributes:
        text: What was wrong, with the value seen and what is allowed.
        rule: The rule, as "RFC 9112 section 7.1", or the name of a limit.
        offset: Where, in bytes from the first byte that answered this request.
        field: Number of the header field, from 0, if ``offset`` is still that of the
            whole head; else -1.
    """

    def __init__(self, text: str, *, rule: str, offset: int, field: int = -1) -> None:
        super().__init__(text, rule, offset)
        self.field = field
        self.text = text
        self.rule = rule
        self.offset = offset

    @override
    def __str__(self) -> str:
        """Say what was wrong, where, and by which rule."""
        return f"{self.text} at byte {self.offset} ({self.rule})"


def seen(value: bytes | bytearray) -> str:
    """Show a peer's bytes in a message: at most 40 of them, as a literal."""
    return repr(bytes(value[:SEEN_BYTES]))
