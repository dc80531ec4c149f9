"""Holds the simulated loop open on the runner of pytest-asyncio.

Comes in: a simulated test. Goes out: a fixture of pytest-asyncio; whatever is set up
after it is torn down before the runner is closed. Imported only when pytest-asyncio is
there and a simulated test needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from pytest_windtunnel.trial import board

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


@pytest_asyncio.fixture(loop_scope="function")
async def _windtunnel_asyncio_loop(
    request: pytest.FixtureRequest,
) -> AsyncIterator[None]:
    await board(request.node)
    yield  # what holds the loop open is that this is not over
