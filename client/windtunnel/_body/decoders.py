"""Undo the content codings of a body, in steps whose output is bounded.

What comes in: encoded bytes, in any pieces, and how much output the caller can take.
What goes out: decoded bytes. This module must not know where the bytes come from or
when the body ends; the caller says so with ``finish``.

The rules that the decoders share:

* A body that ends inside its coding, or whose checksum is wrong, is an error, never a
  silently short body. Only a body without any byte is taken as empty.
* What follows the end of the coded data is ignored (zeros and junk occur in the wild),
  except that a further gzip member is decoded too (RFC 1952 section 2.2).
* Preset dictionaries are refused: nobody agreed on one (RFC 1950 section 2.2).

Spec: RFC 9110 section 8.4, RFC 1950, RFC 1951, RFC 1952; br and zstd see
``modern_decoders``.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Protocol

from windtunnel._base.compat import override
from windtunnel._body.optional_codecs import (
    brotli_module,
    has_brotli,
    has_zstd,
    zstd_module,
)
from windtunnel._body.zlib_backend import zlib_module

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("ACCEPT_ENCODING", "DecodeError", "Decoder", "make_decoder")

#: What requests offer: only what ``make_decoder`` can decode.
ACCEPT_ENCODING = "gzip, deflate" + ", br" * has_brotli() + ", zstd" * has_zstd()

# More codings in one response than this is an attack, not a wish: each costs memory and
# multiplies the ratio that a small body can grow by.
_MAX_CODINGS = 5
# Output of an outer coding that is handed to the inner one at a time.
_INNER_STEP = 64 * 1024
# Members without content cost time and give no output: so many per step at most.
_MAX_MEMBERS_PER_STEP = 64

_GZIP_MAGIC = b"\x1f\x8b"
_WBITS_ZLIB = zlib.MAX_WBITS
_WBITS_RAW = -zlib.MAX_WBITS
_WBITS_GZIP = 16 + zlib.MAX_WBITS


class DecodeError(ValueError):
    """The encoded body breaks the rules of its coding.

    Attributes:
        coding: Name of the coding, such as "gzip".
        offset: Encoded bytes that had been given to the decoder of this coding.
        is_too_large: Whether nothing is wrong with it but its size.
    """

    is_too_large = False

    def __init__(self, message: str, coding: str, offset: int) -> None:
        super().__init__(message, coding, offset)
        self.coding = coding
        self.offset = offset

    @override
    def __str__(self) -> str:
        return str(self.args[0])


def truncated(coding: str, taken: int) -> DecodeError:
    """Make the error for coded data that ends after ``taken`` bytes."""
    msg = f"{coding} data ends after {taken} bytes, before its end mark"
    return DecodeError(msg, coding, taken)


class Decoder(Protocol):
    """Decode one body, from its first to its last byte."""

    @property
    def pending(self) -> bool:
        """Whether ``decode(b"", n)`` may give more without new input."""
        ...

    def decode(self, data: bytes, max_length: int) -> bytes:
        """Take encoded bytes and give decoded ones.

        Args:
            data: The next encoded bytes, possibly none. What is not used yet is kept.
            max_length: How many bytes may come back at most, 1 or more.

        Returns:
            The next decoded bytes. Nothing with ``pending`` set means that this step
            gave no output, not that there is no more: call again.

        Raises:
            DecodeError: The data is not what the coding allows. Everything that was
                decoded before it has been returned by earlier calls.
        """
        ...

    def finish(self) -> None:
        """Say that no more input comes.

        Raises:
            DecodeError: The coded data is not complete.
        """
        ...


class _Zlib:
    """What gzip and deflate have in common: one zlib stream with bounded output."""

    __slots__ = ("_error", "_full", "_inflater", "_taken", "coding")

    def __init__(self, coding: str, wbits: int) -> None:
        self.coding = coding
        self._error: type[Exception] = zlib_module().error
        self._inflater: Any = zlib_module().decompressobj(wbits)
        self._full = False
        self._taken = 0

    def _inflate(self, data: bytes, max_length: int) -> bytes:
        inflater = self._inflater
        tail = inflater.unconsumed_tail
        if tail:
            data = tail + data
        try:
            out: bytes = inflater.decompress(data, max_length)
        except self._error as exc:
            raise self._corrupt(str(exc)) from exc
        # zlib may hold output back in its window after it has taken the last input
        # byte; only a step that stays below the limit proves that there is none.
        self._full = len(out) == max_length
        return out

    def _corrupt(self, reason: str) -> DecodeError:
        if "Error 2 " in reason:
            reason = "it needs a preset dictionary, which is refused"
        return DecodeError(
            f"{self.coding} data is corrupt within its first {self._taken} bytes: "
            f"{reason}",
            self.coding,
            self._taken,
        )

    def _truncated(self) -> DecodeError:
        return truncated(self.coding, self._taken)


class _Deflate(_Zlib):
    """Decode ``deflate``: the zlib format, or the bare stream some servers send."""

    __slots__ = ("_started",)

    def __init__(self) -> None:
        super().__init__("deflate", _WBITS_ZLIB)
        self._started = False

    @property
    def pending(self) -> bool:
        inflater = self._inflater
        return not inflater.eof and (self._full or bool(inflater.unconsumed_tail))

    def decode(self, data: bytes, max_length: int) -> bytes:
        if self._inflater.eof:
            return b""
        self._taken += len(data)
        if data and not self._started:
            self._started = True
            # A zlib header starts with method 8 and a window of at most 32 KiB. As
            # bare deflate that byte would be a stored block with stray padding bits,
            # which no encoder writes.
            if data[0] & 0x8F != 0x08:
                self._inflater = zlib_module().decompressobj(_WBITS_RAW)
        return self._inflate(data, max_length)

    def finish(self) -> None:
        if self._started and not self._inflater.eof:
            raise self._truncated()


class _Gzip(_Zlib):
    """Decode ``gzip``: one member after the other."""

    __slots__ = ("_between", "_done", "_lead", "_seen")

    def __init__(self) -> None:
        super().__init__("gzip", _WBITS_GZIP)
        self._seen = False  # the first member has begun
        self._between = False  # a member is complete, the next has not begun
        self._done = False  # junk followed a member: the rest is ignored
        self._lead = b""  # between members: how the next one starts

    @property
    def pending(self) -> bool:
        if self._between:
            return len(self._lead) > 1
        return self._full or bool(self._inflater.unconsumed_tail)

    def decode(self, data: bytes, max_length: int) -> bytes:
        if self._done:
            return b""
        self._taken += len(data)
        if data:
            self._seen = True
        for _ in range(_MAX_MEMBERS_PER_STEP):
            if self._between:
                self._look_for_member(self._lead + data)
                if len(self._lead) < 2:
                    return b""
                data = self._lead
                self._between = False
                self._inflater = zlib_module().decompressobj(_WBITS_GZIP)
            out = self._inflate(data, max_length)
            data = b""
            if self._inflater.eof:
                self._between = True
                self._look_for_member(self._inflater.unused_data)
            if out or not self.pending:
                return out
        return b""

    def _look_for_member(self, data: bytes) -> None:
        """Judge what follows a member: the next one, padding, or junk."""
        data = data.lstrip(b"\0")
        if data[:2] == _GZIP_MAGIC or data == _GZIP_MAGIC[:1]:
            self._lead = data
        else:
            self._lead = b""
            self._done = bool(data)

    def finish(self) -> None:
        # A single byte that could start a member is a member cut short.
        complete = self._between and not self._lead
        if self._seen and not complete:
            raise self._truncated()


class _Chain:
    """Decode two codings, the outer one first."""

    __slots__ = ("_held", "_inner", "_outer")

    def __init__(self, outer: Decoder, inner: Decoder) -> None:
        self._outer = outer
        self._inner = inner
        self._held = b""

    @property
    def pending(self) -> bool:
        return self._inner.pending or bool(self._held) or self._outer.pending

    def decode(self, data: bytes, max_length: int) -> bytes:
        if self._inner.pending:
            self._held += data
            return self._inner.decode(b"", max_length)
        if self._held:
            data = self._held + data
            self._held = b""
        return self._inner.decode(self._outer.decode(data, _INNER_STEP), max_length)

    def finish(self) -> None:
        self._outer.finish()
        self._inner.finish()


class _Capped:
    """Decode up to so many bytes in all."""

    __slots__ = ("_decoder", "_left", "_limit", "_taken")

    def __init__(self, decoder: Decoder, limit: int) -> None:
        self._decoder = decoder
        self._limit = self._left = limit
        self._taken = 0

    @property
    def pending(self) -> bool:
        return self._decoder.pending

    def decode(self, data: bytes, max_length: int) -> bytes:
        self._taken += len(data)
        # One byte more than allowed shows that there is one.
        out = self._decoder.decode(data, min(max_length, self._left + 1))
        self._left -= len(out)
        if self._left < 0:
            msg = (
                f"body decodes to more than {self._limit} bytes, which is its limit "
                f"max_decoded_size; {self._taken} encoded bytes had come"
            )
            error = DecodeError(msg, "", self._taken)
            error.is_too_large = True
            raise error
        return out

    def finish(self) -> None:
        self._decoder.finish()


def _make_br() -> Decoder | None:
    # Here, because the library may be missing, and is seldom needed.
    from windtunnel._body.modern_decoders import BrotliDecoder

    module = brotli_module()
    return None if module is None else BrotliDecoder(module)


def _make_zstd() -> Decoder | None:
    from windtunnel._body.modern_decoders import ZstdDecoder

    module = zstd_module()
    return None if module is None else ZstdDecoder(module)


_DECODERS: dict[str, Callable[[], Decoder | None]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _make_br,
    "zstd": _make_zstd,
}


def make_decoder(
    content_encoding: str, max_decoded_size: int | None = None
) -> Decoder | None:
    """Find the decoder for the value of a Content-Encoding field.

    Args:
        content_encoding: Coding names in the order in which they were applied, in any
            case; several field lines joined by commas.
        max_decoded_size: How many bytes it may decode to in all; one more is a
            ``DecodeError``. None for any number.

    Returns:
        A decoder for one body. None if there is nothing to undo, or if any of the names
        is unknown or its library not installed: then the body is handed over as it is.

    Raises:
        DecodeError: More than 5 codings.

    Spec: RFC 9110 section 8.4.
    """
    names = [name.strip(" \t").lower() for name in content_encoding.split(",")]
    names = [name for name in names if name and name != "identity"]
    if len(names) > _MAX_CODINGS:
        msg = (
            f"Content-Encoding {content_encoding[:40]!r} has {len(names)} codings, "
            f"allowed are {_MAX_CODINGS}"
        )
        raise DecodeError(msg, names[-1], 0)
    # The last coding applied is the first to be undone.
    decoder: Decoder | None = None
    for name in names:
        make = _DECODERS.get(name)
        made = None if make is None else make()
        if made is None:
            return None
        decoder = made if decoder is None else _Chain(made, decoder)
    if decoder is None or max_decoded_size is None:
        return decoder
    return _Capped(decoder, max_decoded_size)
