"""Find the packages for codings that are not in every Python.

Nothing comes in, modules go out, None for what is not installed. They are looked for
once, and imported when they are first needed.
"""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from typing import Any

__all__ = ("brotli_module", "has_brotli", "has_zstd", "zstd_module")

_BROTLI = ("brotli", "brotlicffi")
_ZSTD = ("compression.zstd", "backports.zstd")


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:  # the package that it would be in
        return False


@cache
def _found(names: tuple[str, ...]) -> str | None:
    return next((name for name in names if _exists(name)), None)


@cache
def _imported(names: tuple[str, ...]) -> Any:
    name = _found(names)
    return None if name is None else importlib.import_module(name)


def has_brotli() -> bool:
    """Say whether "br" can be coded."""
    return _found(_BROTLI) is not None


def has_zstd() -> bool:
    """Say whether "zstd" can be coded."""
    return _found(_ZSTD) is not None


def brotli_module() -> Any:
    """Return brotli (from 1.2 on its output can be bounded), brotlicffi, or None."""
    return _imported(_BROTLI)


def zstd_module() -> Any:
    """Return compression.zstd of Python 3.14, its backport, or None."""
    return _imported(_ZSTD)
