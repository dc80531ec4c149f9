"""Requests and answers that are small: what a call costs, not what its bytes cost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from tests.bench.work import Bench, check

if TYPE_CHECKING:
    import ssl

_CONCURRENT: Final = 50
_DOCUMENT: Final = {
    "name": "windtunnel",
    "tags": ["http", "client", "bench"],
    "size": {"width": 1200, "height": 800, "ratio": 1.5},
    "active": True,
    "note": None,
}
_FIELDS: Final = {
    "Authorization": "Bearer 0123456789abcdef0123456789abcdef",
    "Accept": "application/json",
    "Accept-Language": "en, de;q=0.5",
    "Idempotency-Key": "6f1c1d3e-5a0b-4c3f-9a51-0d8f6d0a7e11",
    "X-Request-Id": "b0d7f7d2f1a84f0f",
    "X-Client-Version": "1.4.2",
}


async def _gets(
    session: Any, url: str, count: int, context: ssl.SSLContext | bool = True
) -> None:
    for _ in range(count):
        async with session.get(url, ssl=context) as response:
            body = await response.read()
        check("status", response.status, 200)
        check("body", body, b"Hello, World!")


async def get_concurrent(bench: Bench, amount: int) -> None:
    """Small GETs by 50 tasks; each does its share one after the other."""
    share = amount // _CONCURRENT
    url = f"{bench.site.http}/small"
    await asyncio.gather(
        *[_gets(bench.session, url, share) for _ in range(_CONCURRENT)]
    )


async def get_sequential(bench: Bench, amount: int) -> None:
    """Small GETs by one task; with ``force_close`` each on a connection of its own."""
    await _gets(bench.session, f"{bench.site.http}/small", amount)


async def get_tls(bench: Bench, amount: int) -> None:
    """Small GETs by one task over one TLS connection."""
    await _gets(bench.session, f"{bench.site.https}/small", amount, bench.tls())


async def post_json(bench: Bench, amount: int) -> None:
    """POST of a small JSON document with six headers; its JSON answer is decoded."""
    url = f"{bench.site.http}/json"
    for _ in range(amount):
        async with bench.session.post(url, json=_DOCUMENT, headers=_FIELDS) as response:
            answer = await response.json()
        check("answer", answer, {"ok": True, "id": 12345})


async def held(bench: Bench, amount: int) -> None:
    """Requests that the server holds until it has all; each has a total timeout."""
    url = f"{bench.site.http}/hold/{amount}"
    timeout = bench.client.ClientTimeout(total=120)

    async def one() -> None:
        async with bench.session.get(url, timeout=timeout) as response:
            check("body", await response.read(), b"Hello, World!")

    await asyncio.gather(*[one() for _ in range(amount)])
