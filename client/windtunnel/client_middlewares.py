"""Names of ``aiohttp.client_middlewares``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel import (
    ClientHandlerType,
    ClientMiddlewareType,
)
from windtunnel._exchange.attempt import bind

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = (
    "ClientHandlerType",
    "ClientMiddlewareType",
    "build_client_middlewares",
)


def build_client_middlewares(
    client_handler: ClientHandlerType, middlewares: Sequence[ClientMiddlewareType]
) -> ClientHandlerType:
    """Put middlewares around a handler.

    Args:
        client_handler: What sends the request.
        middlewares: The first of them is the outermost.
    """
    return bind(middlewares, client_handler)
