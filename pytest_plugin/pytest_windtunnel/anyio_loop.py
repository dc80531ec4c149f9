"""Holds the simulated loop open on the runner of anyio's plugin.

Comes in: a simulated test marked anyio. Goes out: an async fixture, whose lease keeps
anyio's runner alive until all that was set up after it is torn down. Imported only when
anyio's plugin is there and a simulated test needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_windtunnel.trial import board

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def _windtunnel_anyio_loop(
    request: pytest.FixtureRequest, anyio_backend: object
) -> AsyncIterator[None]:
    del anyio_backend  # asked for, so that anyio runs this fixture
    await board(request.node)
    yield  # noqa: PT022  # what holds the loop open is that this is not over
