"""What is measured: the same few lines of user code for every client.

Both clients have one API, so a scenario gets a session and does not know whose it is.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

MIB: Final = 1024 * 1024
_CONCURRENT: Final = 50
_READ: Final = 64 * 1024
_DOCUMENT: Final = {
    "name": "windtunnel",
    "tags": ["http", "client", "bench"],
    "size": {"width": 1200, "height": 800, "ratio": 1.5},
    "active": True,
    "note": None,
}
_UPLOAD_PIECE: Final = b"x" * _READ


class WrongAnswerError(Exception):
    """A client did not get what the server sent; its figures would mean nothing."""


def _check(what: str, seen: object, expected: object) -> None:
    if seen != expected:
        msg = f"{what} is {seen!r}, not {expected!r}"
        raise WrongAnswerError(msg)


async def _gets(session: Any, url: str, count: int) -> None:
    for _ in range(count):
        async with session.get(url) as response:
            body = await response.read()
        _check("status", response.status, 200)
        _check("body", body, b"Hello, World!")


async def get_concurrent(session: Any, origin: str, amount: int) -> None:
    """Small GETs by 50 tasks; each does its share one after the other."""
    share = amount // _CONCURRENT
    url = f"{origin}/small"
    await asyncio.gather(*[_gets(session, url, share) for _ in range(_CONCURRENT)])


async def get_sequential(session: Any, origin: str, amount: int) -> None:
    """Small GETs by one task."""
    await _gets(session, f"{origin}/small", amount)


async def post_json(session: Any, origin: str, amount: int) -> None:
    """POST of a small JSON document whose JSON answer is decoded."""
    for _ in range(amount):
        async with session.post(f"{origin}/json", json=_DOCUMENT) as response:
            answer = await response.json()
        _check("answer", answer, {"ok": True, "id": 12345})


async def _download(session: Any, url: str, mebibytes: int) -> None:
    total = 0
    async with session.get(url) as response:
        async for piece in response.content.iter_chunked(_READ):
            total += len(piece)
    _check("length", total, mebibytes * MIB)


async def download(session: Any, origin: str, amount: int) -> None:
    """One body with Content-Length, read in pieces of 64 KiB."""
    await _download(session, f"{origin}/length/{amount}", amount)


async def download_chunked(session: Any, origin: str, amount: int) -> None:
    """One chunked body, read in pieces of 64 KiB."""
    await _download(session, f"{origin}/chunked/{amount}", amount)


async def upload(session: Any, origin: str, amount: int) -> None:
    """One chunked upload from an asynchronous generator of 64 KiB pieces."""

    async def body() -> AsyncIterator[bytes]:
        for _ in range(amount * MIB // _READ):
            yield _UPLOAD_PIECE

    async with session.post(f"{origin}/upload", data=body()) as response:
        _check("body", await response.read(), b"Hello, World!")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One workload.

    Attributes:
        name: Short name for the command line and the JSON.
        title: What a reader of the table sees.
        unit: What one operation is: "request" or "MiB".
        run: The workload; takes session, origin, and how many operations.
        amount: Operations in a full round.
        quick_amount: Operations in a quick round.
        warm_up: Operations before the clock starts.
        counted: Operations whose instructions are counted, 0 for none.
        repeats: Processes per client and round. A download costs aiohttp up to twice
            as much in one process as in another, as its heap happens to lie.
    """

    name: str
    title: str
    unit: str
    run: Callable[[Any, str, int], Awaitable[None]]
    amount: int
    quick_amount: int
    warm_up: int
    counted: int = 0
    repeats: int = 1


SCENARIOS: Final = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "get-50", "small GET, 50 at once", "request",
            get_concurrent, 20_000, 5_000, 500, counted=500,
        ),
        Scenario(
            "get", "small GET, one by one", "request",
            get_sequential, 5_000, 1_500, 100, counted=400,
        ),
        Scenario(
            "post-json", "POST and decode JSON", "request",
            post_json, 5_000, 1_500, 100, counted=400,
        ),
        Scenario(
            "download", "download, Content-Length", "MiB",
            download, 256, 64, 8, repeats=3,
        ),
        Scenario(
            "download-chunked", "download, chunked", "MiB",
            download_chunked, 256, 64, 8,
        ),
        Scenario("upload", "upload, chunked", "MiB", upload, 256, 64, 8),
    )
}  # fmt: skip
