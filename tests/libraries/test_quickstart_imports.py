"""The two libraries that the quickstart page brings along, as it uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiofiles
import aiohttp
import ujson

from windtunnel_fakeserver.apps import httpbin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pytest_windtunnel import WindTunnel


async def test_ujson_serialises_what_is_sent(windtunnel: WindTunnel) -> None:
    server = windtunnel.host("http://httpbin.org", app=httpbin)
    async with aiohttp.ClientSession(json_serialize=ujson.dumps) as session:
        await session.post(server.url("/post"), json={"test": "object"})
    assert windtunnel.journal[0].request.body == b'{"test":"object"}'


async def test_aiofiles_reads_what_is_sent(
    windtunnel: WindTunnel, tmp_path: Path
) -> None:
    (tmp_path / "huge_file").write_bytes(b"huge" * 50_000)

    async def file_sender() -> AsyncIterator[bytes]:
        async with aiofiles.open(tmp_path / "huge_file", "rb") as f:
            chunk = await f.read(64 * 1024)
            while chunk:
                yield chunk
                chunk = await f.read(64 * 1024)

    server = windtunnel.host("http://httpbin.org", app=httpbin)
    async with (
        aiohttp.ClientSession() as session,
        session.post(server.url("/post"), data=file_sender()) as response,
    ):
        assert (await response.json())["data"] == "huge" * 50_000
