"""What of the process around a simulated test would leak into it, and is kept out.

Comes in: a ``MonkeyPatch`` that is undone at the end of the test. Must not know: pytest
items, tunnels.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def shield(patch: pytest.MonkeyPatch) -> None:
    """Keep proxies of the machine and foreign resolvers out of a simulated test.

    - ``*_PROXY`` variables go: httpx, websockets and others honour them, and the proxy
      of a company is not part of the simulated world.
    - aiohttp resolves names through c-ares when aiodns is there, past the event loop,
      and would wait five minutes for real. It gets its own threaded resolver, which
      asks the loop.
    """
    for name in list(os.environ):
        if name.upper().endswith("_PROXY"):
            patch.delenv(name)
    # Only if somebody imported aiohttp already: a plugin must not do it for them.
    connector = sys.modules.get("aiohttp.connector")
    if connector is not None and find_spec("aiodns") is not None:
        resolver = sys.modules["aiohttp.resolver"]
        patch.setattr(connector, "DefaultResolver", resolver.ThreadedResolver)
