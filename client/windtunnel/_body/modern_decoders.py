"""Undo the codings whose libraries are optional: br and zstd.

The rules are those of ``decoders``. Their output is bounded as well, and so is what
they hold: a zstd frame may ask for a window of 8 MiB at most. Data after the end of br
is an error, because the library does not say where the end was.

Spec: RFC 7932 (br), RFC 8878 (zstd), RFC 9659 (its window in HTTP).
"""

from __future__ import annotations

from typing import Any

from windtunnel._body.decoders import DecodeError, truncated

__all__ = ("BrotliDecoder", "ZstdDecoder")

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE_TAIL = b"\x2a\x4d\x18"
# RFC 9659 section 3: a decoder supports 8 MiB, an encoder uses no more.
_WINDOW_LOG_MAX = 23
# Frames without content cost time and give no output: so many per step at most.
_MAX_FRAMES_PER_STEP = 64


class BrotliDecoder:
    """Decode ``br``.

    Args:
        module: brotli 1.2 or later, or brotlicffi with the same method.
    """

    __slots__ = ("_decompressor", "_error", "_full", "_held", "_made", "_taken")

    def __init__(self, module: Any) -> None:
        self._decompressor = module.Decompressor()
        self._error: type[Exception] = module.error
        self._held: list[bytes] = []  # input that came while output was waiting
        self._made = b""  # the library gives whole blocks: what was not asked for
        self._full = False  # the last step could have given more
        self._taken = 0

    @property
    def pending(self) -> bool:
        if self._made or self._held or self._full:
            return True
        decompressor = self._decompressor
        return not (decompressor.is_finished() or decompressor.can_accept_more_data())

    def decode(self, data: bytes, max_length: int) -> bytes:
        self._taken += len(data)
        if data:
            self._held.append(data)
        if not self._made:
            self._made = self._process(max_length)
        out, self._made = self._made[:max_length], self._made[max_length:]
        return out

    def _process(self, max_length: int) -> bytes:
        decompressor = self._decompressor
        data = b""
        if decompressor.can_accept_more_data():
            data, self._held = b"".join(self._held), []
        if decompressor.is_finished():
            if data or self._held:
                raise self._corrupt("data follows its end")
            self._full = False
            return b""
        try:
            out: bytes = decompressor.process(data, output_buffer_limit=max_length)
        except self._error as exc:
            raise self._corrupt(str(exc)) from exc
        self._full = len(out) >= max_length
        return out

    def _corrupt(self, reason: str) -> DecodeError:
        msg = f"br data is corrupt within its first {self._taken} bytes: {reason}"
        return DecodeError(msg, "br", self._taken)

    def finish(self) -> None:
        if self._taken and not self._decompressor.is_finished():
            raise truncated("br", self._taken)


class ZstdDecoder:
    """Decode ``zstd``: one frame after the other.

    Args:
        module: compression.zstd or backports.zstd.
    """

    __slots__ = ("_decompressor", "_done", "_lead", "_module", "_seen", "_taken")

    def __init__(self, module: Any) -> None:
        self._module = module
        self._decompressor: Any = None  # None between frames
        self._lead = b""  # between frames: how the next one begins
        self._seen = False  # the first frame is complete
        self._done = False  # junk followed a frame: the rest is ignored
        self._taken = 0

    @property
    def pending(self) -> bool:
        if self._decompressor is None:
            return len(self._lead) >= len(_ZSTD_MAGIC)
        return not self._decompressor.needs_input

    def decode(self, data: bytes, max_length: int) -> bytes:
        if self._done:
            return b""
        self._taken += len(data)
        for _ in range(_MAX_FRAMES_PER_STEP):
            if self._decompressor is None:
                self._lead += data
                if self._seen and not _may_be_frame(self._lead):
                    self._done = True
                    self._lead = b""
                if len(self._lead) < len(_ZSTD_MAGIC):
                    return b""
                data, self._lead = self._lead, b""
                self._decompressor = self._module.ZstdDecompressor(
                    options={
                        self._module.DecompressionParameter.window_log_max: (
                            _WINDOW_LOG_MAX
                        )
                    }
                )
            out = self._step(data, max_length)
            data = b""
            if self._decompressor.eof:
                self._lead = self._decompressor.unused_data
                self._decompressor = None
                self._seen = True
            if out or not self.pending:
                return out
        return b""

    def _step(self, data: bytes, max_length: int) -> bytes:
        try:
            out: bytes = self._decompressor.decompress(data, max_length)
        except self._module.ZstdError as exc:
            msg = f"zstd data is corrupt within its first {self._taken} bytes: {exc}"
            raise DecodeError(msg, "zstd", self._taken) from exc
        return out

    def finish(self) -> None:
        if self._decompressor is not None or self._lead:
            raise truncated("zstd", self._taken)


def _may_be_frame(data: bytes) -> bool:
    """Say whether data is, or could become, the begin of a frame."""
    if _ZSTD_MAGIC.startswith(data[:4]):
        return True
    return data[0] & 0xF0 == 0x50 and _SKIPPABLE_TAIL.startswith(data[1:4])
