"""Names of ``aiohttp.client_reqrep``: requests and responses."""

from __future__ import annotations

from windtunnel import (
    ClientRequest,
    ClientResponse,
    Fingerprint,
    RequestInfo,
    UploadTracker,
)
from windtunnel._base.typedefs import (
    ConnectionKey,
)
from windtunnel._exchange.response_fields import (
    ContentDisposition,
)

__all__ = (
    "ClientRequest",
    "ClientResponse",
    "ConnectionKey",
    "ContentDisposition",
    "Fingerprint",
    "RequestInfo",
    "UploadTracker",
)
