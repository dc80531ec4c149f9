"""How much of a response the client is willing to take before it refuses.

Only numbers. Which of them a request uses is the session's decision.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds for one response, all inclusive.

    Attributes:
        max_line_size: Bytes of a status line or a chunk-size line, without line end.
        max_field_size: Bytes of one field, name and folded value together.
        max_headers: Fields of one head, the trailer fields of its body included.
        max_interim: 1xx responses before the final one.

    Compat: aiohttp has the first three, with these defaults.
    """

    max_line_size: int = 8190
    max_field_size: int = 8190
    max_headers: int = 128
    max_interim: int = 64


DEFAULT_LIMITS = Limits()
