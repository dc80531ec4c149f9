"""Content codings: pieces of a body in, encoded pieces out, also damaged ones. No I/O.

Comes in: bytes and an ``Encoding``. Goes out: bytes, as many pieces as came in. Must
not know: replies, fields, framing.

Spec: RFC 9110 section 8.4.1, RFC 1950 (zlib), RFC 1951 (deflate), RFC 1952 (gzip).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from windtunnel_fakeserver._wire.compat import override

if TYPE_CHECKING:
    from collections.abc import Sequence

_GZIP = ("gzip", "x-gzip")
CODINGS = (*_GZIP, "deflate")
_LEVEL = 6
# Place and value of "operating system unknown" in a gzip header: zlib writes the
# system's own, and equal seeds must give equal bytes everywhere.
_SYSTEM_AT, _SYSTEM = 9, b"\xff"


@dataclass(frozen=True, slots=True, init=False)
class Encoding:
    """How a body is encoded, and what is wrong with the result.

    Args:
        codings: ``gzip``, ``x-gzip`` or ``deflate``, in the order of applying, which
            is the order of the Content-Encoding field.
        raw: True leaves the zlib wrapper of ``deflate`` out, as many servers do.
        cut: So many bytes are missing at the end.
        flip: Offset of one byte whose bits are all inverted; from the end when
            negative. In gzip -8..-5 is the checksum and -4..-1 the length, in deflate
            -4..-1 the checksum.
        tail: Bytes added behind the end.

    Raises:
        ValueError: An unknown coding, none at all, or a value out of range.
    """

    codings: tuple[str, ...]
    raw: bool
    cut: int
    flip: int | None
    tail: bytes

    def __init__(
        self,
        *codings: str,
        raw: bool = False,
        cut: int = 0,
        flip: int | None = None,
        tail: bytes = b"",
    ) -> None:
        for coding in codings or ("",):
            if coding not in CODINGS:
                msg = (
                    f"Encoding({coding!r:.40}): must be one of {', '.join(CODINGS)}; "
                    "send others as body= with a Content-Encoding field"
                )
                raise ValueError(msg)
        if not cut >= 0:
            msg = f"Encoding(cut={cut!r}): must be >= 0 bytes"
            raise ValueError(msg)
        for name, value in (
            ("codings", codings),
            ("raw", raw),
            ("cut", cut),
            ("flip", flip),
            ("tail", tail),
        ):
            object.__setattr__(self, name, value)

    @override
    def __repr__(self) -> str:
        """Show what would be typed to get it."""
        parts = [f'"{coding}"' for coding in self.codings]
        parts += ["raw=True"] if self.raw else []
        parts += [f"cut={self.cut}"] if self.cut else []
        parts += [] if self.flip is None else [f"flip={self.flip}"]
        parts += [f"tail=<{len(self.tail)} bytes>"] if self.tail else []
        return f"Encoding({', '.join(parts)})"

    def encode(self, pieces: Sequence[bytes]) -> list[bytes]:
        """Return the encoded pieces; each can be decoded as soon as it has come.

        Raises:
            ValueError: There are fewer bytes than are to be cut or flipped.
        """
        done = list(pieces)
        for coding in self.codings:
            done = _encoded(done, self._window(coding))
            if coding in _GZIP:
                done[0] = done[0][:_SYSTEM_AT] + _SYSTEM + done[0][_SYSTEM_AT + 1 :]
        return self._damaged(done)

    def _window(self, coding: str) -> int:
        if coding in _GZIP:
            return zlib.MAX_WBITS | 16
        return -zlib.MAX_WBITS if self.raw else zlib.MAX_WBITS

    def _damaged(self, pieces: list[bytes]) -> list[bytes]:
        data = bytearray(b"".join(pieces))
        at = 0 if self.flip is None else self.flip
        if self.cut > len(data) or not -len(data) <= at < len(data):
            msg = f"{self!r}: there are only {len(data)} encoded bytes"
            raise ValueError(msg)
        if self.flip is not None:
            data[at] ^= 0xFF
        del data[len(data) - self.cut :]
        sizes = [len(piece) for piece in pieces[:-1]]
        again: list[bytes] = []
        for size in sizes:
            again.append(bytes(data[:size]))
            del data[:size]
        return [*again, bytes(data) + self.tail]


def _encoded(pieces: list[bytes], window: int) -> list[bytes]:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, window)
    done = [
        packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
        for piece in pieces[:-1]
    ]
    return [*done, packer.compress(pieces[-1]) + packer.flush()]


def as_encoding(encoding: str | Sequence[str] | Encoding) -> Encoding:
    """Return what ``Reply(encoding=...)`` was given.

    Raises:
        ValueError: An unknown coding, or none.
    """
    if isinstance(encoding, Encoding):
        return encoding
    return Encoding(*((encoding,) if isinstance(encoding, str) else encoding))
