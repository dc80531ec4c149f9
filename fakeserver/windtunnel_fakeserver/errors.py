"""Errors that the fake server and its authoring words raise.

Nothing comes in; exception classes go out. Imports nothing of ours, so that every
part may raise these. The simulation has its own errors.
"""

from __future__ import annotations

from typing import Literal


class VerificationError(AssertionError):
    """What the test promised did not happen; the message is the whole story.

    Raised by ``Tunnel.verify()``, ``Loopback.verify()`` and by the ``Journal``
    questions. Where an exception inside a script is part of the story, it is the
    ``__cause__``, with its own traceback.
    """


class WireClosedError(ConnectionError):
    """The client ended the connection before a script had what it asked for.

    Attributes:
        partial: The bytes that did arrive for the step that failed, not consumed.
        during: ``"read"`` or ``"send"``. An unhandled one from ``send`` ends a
            script quietly, as a broken pipe ends a program; one from ``read`` fails
            the test, because the script asked for bytes that never came.
    """

    def __init__(
        self,
        message: str,
        partial: bytes = b"",
        during: Literal["read", "send"] = "read",
    ) -> None:
        super().__init__(message)
        self.partial = partial
        self.during: Literal["read", "send"] = during


class SweepError(AssertionError):
    """A program failed for at least one variation of a reply; the text says which."""
