"""Says which optional content codings this Python can decode.

Clients take a coding from whichever package they know; asking for the package is the
same question that the client asks at import.
"""

from __future__ import annotations

import importlib.util


def with_codings(capabilities: tuple[str, ...], **modules: str) -> tuple[str, ...]:
    """Add ``decode.X`` for each coding X of which a module is installed.

    Args:
        capabilities: What the client can do in any case.
        modules: Coding to the names of modules, any of which will do.
    """
    found = [
        f"decode.{coding}"
        for coding, names in modules.items()
        if any(_is_installed(name) for name in names.split())
    ]
    return tuple(sorted({*capabilities, *found}))


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
