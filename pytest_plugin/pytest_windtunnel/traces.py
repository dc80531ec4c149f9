"""Writes what happened in a test into a file, for ``--windtunnel-trace``.

Comes in: a tunnel at its end. Goes out: one text file for each test. Must not know:
pytest.
"""

from __future__ import annotations

import hashlib
import re
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from windtunnel_fakeserver import Tunnel

_LONGEST: Final = 120
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.=-]+")


def write_trace(folder: Path, name: str, seed: int, tunnel: Tunnel) -> Path:
    """Write the story of one test.

    Args:
        folder: Made if it is not there.
        name: Of the test; the name of the file is made from it.
        seed: Of its simulation.
        tunnel: What it ran in.

    Returns:
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_stem(name)}.txt"
    lines = [
        f"{name}  seed={seed}  digest={tunnel.trace.digest()}",
        "",
        "requests and answers",
        *(f"  {line}" for line in tunnel.journal.timeline(limit=sys.maxsize)),
        "",
        "network",
        *(f"  {event}" for event in tunnel.trace.events),
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _stem(name: str) -> str:
    """Make a name of a file; what is cut or replaced stays told apart by a digest."""
    safe = _UNSAFE.sub("_", name)
    if safe == name and len(safe) <= _LONGEST:
        return safe
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{safe[:_LONGEST]}-{digest}"
