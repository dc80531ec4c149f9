"""Mock libraries build responses with the stand-ins of the compatible API."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

import windtunnel
from windtunnel.client_proto import ResponseHandler
from windtunnel.helpers import TimerNoop


def mocked(body: bytes, loop: Any) -> windtunnel.ClientResponse:
    """Build a response as mock libraries do, on a loop that is a mock itself."""
    url = URL("http://a.test/")
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": "application/json"}))
    response = windtunnel.ClientResponse(
        "GET",
        url,
        writer=None,
        continue100=None,
        timer=TimerNoop(),
        request_info=windtunnel.RequestInfo(url, "GET", headers),
        traces=[],
        loop=loop,
        session=None,
    )
    response.cookies.load("a=b")
    response._headers = headers
    response.status = 201
    response.reason = "Created"
    response.content = windtunnel.StreamReader(
        ResponseHandler(loop=loop), limit=2**16, loop=loop
    )
    response.content.feed_data(body)
    response.content.feed_eof()
    return response


def test_a_mocked_response_is_read_like_any_other() -> None:
    async def main() -> None:
        loop = mock.Mock()
        async with mocked(b'{"a": 1}', loop) as response:
            assert await response.json() == {"a": 1}
            assert response.cookies["a"].value == "b"
            assert response.request_info.real_url == response.url
            with pytest.warns(DeprecationWarning, match="output_size"):
                assert response.output_size == 0
        assert [line async for line in mocked(b"a\nb", loop).content] == [b"a\n", b"b"]

    asyncio.run(main())


def test_more_than_the_limit_can_be_fed_before_anybody_reads() -> None:
    async def main() -> None:
        response = mocked(b"x" * 200_000, mock.Mock())
        assert len(await response.content.read(10)) == 10
        assert len(await response.content.read()) == 199_990

    asyncio.run(main())


def test_the_timer_lets_everything_through() -> None:
    with TimerNoop() as timer:
        timer.assert_timeout()
    with pytest.raises(KeyError), timer:
        raise KeyError
