"""Names of ``aiohttp.helpers`` that concern clients."""

from __future__ import annotations

from windtunnel import (
    BasicAuth,
    ChainMapProxy,
    ETag,
    encode_basic_auth,
)
from windtunnel._base.typedefs import (
    UNSET as sentinel,  # noqa: N811  # the compatible name
)
from windtunnel._body.stand_ins import (
    TimerNoop,
)

__all__ = (
    "BasicAuth",
    "ChainMapProxy",
    "ETag",
    "TimerNoop",
    "encode_basic_auth",
    "sentinel",
)
