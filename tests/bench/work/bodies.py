"""Large bodies, both ways; one operation is one MiB."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any, Final

from tests.bench.work import MIB, Bench, check

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_READ: Final = 64 * 1024
_PIECE: Final = b"x" * _READ


async def _download(session: Any, url: str, mebibytes: int, **options: Any) -> None:
    total = 0
    async with session.get(url, **options) as response:
        async for piece in response.content.iter_chunked(_READ):
            total += len(piece)
    check("length", total, mebibytes * MIB)


async def download(bench: Bench, amount: int) -> None:
    """One body with Content-Length, read in pieces of 64 KiB."""
    await _download(bench.session, f"{bench.site.http}/length/{amount}", amount)


async def download_chunked(bench: Bench, amount: int) -> None:
    """One chunked body, read in pieces of 64 KiB."""
    await _download(bench.session, f"{bench.site.http}/chunked/{amount}", amount)


async def download_gzip(bench: Bench, amount: int) -> None:
    """One chunked gzip body; an operation is one MiB after decoding."""
    await _download(bench.session, f"{bench.site.http}/gzip/{amount}", amount)


async def download_tls(bench: Bench, amount: int) -> None:
    """One body with Content-Length over TLS."""
    url = f"{bench.site.https}/length/{amount}"
    await _download(bench.session, url, amount, ssl=bench.tls())


async def _pieces(mebibytes: int) -> AsyncIterator[bytes]:
    for _ in range(mebibytes * MIB // _READ):
        yield _PIECE


async def _upload(bench: Bench, body: object, headers: dict[str, str]) -> None:
    url = f"{bench.site.http}/upload"
    async with bench.session.post(url, data=body, headers=headers) as response:
        check("body", await response.read(), b"Hello, World!")


async def upload_chunked(bench: Bench, amount: int) -> None:
    """One chunked upload from an asynchronous generator of 64 KiB pieces."""
    await _upload(bench, _pieces(amount), {})


async def upload_length(bench: Bench, amount: int) -> None:
    """The same upload with a Content-Length."""
    await _upload(bench, _pieces(amount), {"Content-Length": str(amount * MIB)})


async def upload_file(bench: Bench, amount: int) -> None:
    """One multipart form with a field and a file."""
    with tempfile.TemporaryFile() as file:
        # A hole: reading it copies zeros, and making it costs nothing.
        file.truncate(amount * MIB)
        await _upload(bench, {"name": "holes", "file": file}, {})
