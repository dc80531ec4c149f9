"""The module that compresses can be chosen, and is asked for at the last moment."""

from __future__ import annotations

import types
import zlib
from typing import Any

from windtunnel._body.decoders import make_decoder
from windtunnel._body.encoders import make_encoder
from windtunnel._body.zlib_backend import set_zlib_backend, zlib_module


def test_chosen_backend_is_used_from_then_on() -> None:
    used: list[str] = []
    backend: Any = types.ModuleType("backend")
    backend.error = zlib.error

    def compressobj(**options: Any) -> Any:
        used.append("compressobj")
        return zlib.compressobj(**options)

    def decompressobj(wbits: int) -> Any:
        used.append("decompressobj")
        return zlib.decompressobj(wbits)

    backend.compressobj = compressobj
    backend.decompressobj = decompressobj
    set_zlib_backend(backend)
    try:
        encoder = make_encoder("gzip")
        packed = encoder.compress(b"x") + encoder.flush()
        decoder = make_decoder("gzip")
        assert decoder is not None
        assert decoder.decode(packed, 10) == b"x"
    finally:
        set_zlib_backend(zlib)
    assert used == ["compressobj", "decompressobj"]
    assert zlib_module() is zlib
