"""Which module compresses: zlib of the standard library, or a faster one like it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ("set_zlib_backend", "zlib_module")

_chosen: Any = zlib


def set_zlib_backend(new_zlib_backend: ModuleType) -> None:
    """Choose the module for all bodies that are compressed or decompressed later.

    Args:
        new_zlib_backend: A module with the names of zlib, such as ``zlib_ng.zlib_ng``
            or ``isal.isal_zlib``.

    Compat: aiohttp's function of this name.
    """
    global _chosen  # one choice for the process, as in aiohttp
    _chosen = new_zlib_backend


def zlib_module() -> ModuleType:
    """Return the chosen module."""
    return cast("ModuleType", _chosen)
