"""The story of a failed test, as text."""

from __future__ import annotations

import asyncio
import gc
import re
import traceback
import warnings
from typing import TYPE_CHECKING

import pytest

from tests.fakeserver.venues import connect
from windtunnel_fakeserver import (
    Reply,
    Tunnel,
    VerificationError,
    Wire,
    WireClosedError,
    subset,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

GET = b"GET / HTTP/1.1\r\n\r\n"


def story(scenario: Callable[[Tunnel], Awaitable[None]]) -> str:
    """Run a scenario that must fail; line numbers are left out of its story."""
    with pytest.raises(VerificationError) as caught:
        Tunnel(seed=7).run(scenario)
    text = str(caught.value)
    assert len(text.splitlines()) <= 40
    text = re.sub(r"(test_verdict\.py):\d+", r"\1:00", text)
    return re.sub(r"\S*(tests/fakeserver)", r"\1", text)


def post(body: bytes, *fields: bytes) -> bytes:
    lines = [b"POST /v1/items HTTP/1.1", *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_the_story_of_an_unmatched_request() -> None:
    async def scenario(tunnel: Tunnel) -> None:
        api = tunnel.host("http://api.example.com")
        api.expect(
            "POST",
            "/v1/items",
            headers={"authorization": "Bearer abc"},
            json={"qty": 2},
        ).reply(Reply(503, headers={"retry-after": "2"}), Reply(201))
        auth = b"Authorization: Bearer abc"
        json = b"Content-Type: application/json"
        async with connect(tunnel, api) as client:
            await client.send(post(b'{"qty": 2}', auth, json))
            await client.read_reply()
            await asyncio.sleep(2)
            await client.send(
                post(b'{"qty": "2"}', b"Authorization: Bearer wrong", json)
            )
            await client.read_reply()

    assert story(scenario) == (
        "windtunnel: 1 request matched nothing, 1 expectation was not met   seed=7   "
        "t=0.000..2.001\n"
        "  unmatched  #1 POST http://api.example.com/v1/items   "
        "(connection 0, exchange 1, t=2.001)\n"
        '  closest    expect("POST", "/v1/items", headers={"authorization": '
        "<masked, 10 characters>}, json={'qty': 2})  "
        "defined at tests/fakeserver/verify/test_verdict.py:00\n"
        "     method                ok\n"
        "     path                  ok\n"
        "     header authorization  expected <masked, 10 characters>   "
        "got <masked, 12 characters>\n"
        "     json $.qty            expected 2   got '2'\n"
        '  to accept it:  server.expect("POST", "/v1/items", '
        "json={'qty': '2'}).reply(Reply(200))\n"
        '  not met    expect("POST", "/v1/items", headers={"authorization": '
        "<masked, 10 characters>}, json={'qty': 2}) of http://api.example.com: "
        "1 of 2 calls came, defined at tests/fakeserver/verify/test_verdict.py:00\n"
        "  timeline   t=0.000  c0  -  open http://api.example.com "
        "from 198.19.0.1:50000\n"
        "             t=0.000  c0  >  POST /v1/items   116 B\n"
        "             t=0.000  c0  <  503  retry-after: 2\n"
        "             t=2.001  c0  >  POST /v1/items   120 B\n"
        "             t=2.001  c0  <  (no match) 501\n"
        "             t=2.001  c0  >  eof\n"
        "             t=2.001  c0  <  eof\n"
        "             t=2.001  c0  -  close"
    )


def test_the_story_of_a_request_without_any_route() -> None:
    async def scenario(tunnel: Tunnel) -> None:
        async with connect(tunnel, tunnel.server) as client:
            await client.send(b"GET http://other.test/x HTTP/1.1\r\n\r\n")
            await client.read_reply()

    assert story(scenario) == (
        "windtunnel: 1 request matched nothing   seed=7   t=0.000..0.000\n"
        "  unmatched  #0 GET http://other.test/x   "
        "(connection 0, exchange 0, t=0.000)\n"
        "  closest    none: no route is defined on this server\n"
        '  to accept it:  server.expect("GET", "/x").reply(Reply(200))\n'
        "  timeline   t=0.000  c0  -  open http://server.test from 198.19.0.1:50000\n"
        "             t=0.000  c0  >  GET http://other.test/x   36 B\n"
        "             t=0.000  c0  <  (no match) 501\n"
        "             t=0.001  c0  >  eof\n"
        "             t=0.001  c0  <  eof\n"
        "             t=0.001  c0  -  close"
    )


def test_the_story_of_what_was_not_used() -> None:
    async def never(wire: Wire) -> None:
        await wire.stall()

    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.expect("GET", "/login", times=2)
        tunnel.server.on_connect(never)
        tunnel.server.enqueue(Reply(), Reply())

    assert story(scenario) == (
        "windtunnel: 1 expectation was not met, 2 things were not used   seed=7   "
        "t=0.000..0.000\n"
        '  not met    expect("GET", "/login") of http://server.test: '
        "0 of 2 calls came, defined at tests/fakeserver/verify/test_verdict.py:00\n"
        "  unused     script never of http://server.test: no connection came, "
        "given at tests/fakeserver/verify/test_verdict.py:00\n"
        "  unused     2 of the replies given to enqueue() of http://server.test\n"
        "  timeline   nothing happened"
    )


def test_the_story_of_a_failed_script_and_its_own_traceback() -> None:
    async def script(wire: Wire) -> None:
        request = await wire.read_request()
        demand(request.target)

    def demand(target: str) -> None:
        if target != "/x":
            msg = f"wanted /x\nbut it was {target}"
            raise AssertionError(msg)

    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.on_connect(script)
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            await client.reader.read()

    with pytest.raises(VerificationError) as caught:
        Tunnel().run(scenario)
    cause = caught.value.__cause__
    assert isinstance(cause, AssertionError)
    frames = traceback.extract_tb(cause.__traceback__)
    assert [frame.name for frame in frames][-2:] == ["script", "demand"]
    assert story(scenario).splitlines()[:3] == [
        "windtunnel: 1 script failed   seed=7   t=0.000..0.000",
        "  script     script on connection 0 (http://server.test) raised "
        "AssertionError: wanted /x",
        "     at tests/fakeserver/verify/test_verdict.py:00   demand(request.target)",
    ]


def test_a_script_that_asks_for_more_than_comes_fails_the_test() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_exactly(100)

    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.on_connect(script)
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)

    text = story(scenario)
    assert "raised WireClosedError: read_exactly(100) on connection 0" in text


def test_the_story_of_what_the_client_left_open() -> None:
    left: list[asyncio.StreamWriter] = []

    async def scenario(tunnel: Tunnel) -> None:
        assert tunnel.server.origin == "http://server.test"
        _, writer = await asyncio.open_connection("server.test", 80)
        left.append(writer)

    text = story(scenario)
    with warnings.catch_warnings():
        # Python says it too, when it collects the transport of a closed loop.
        warnings.simplefilter("ignore", ResourceWarning)
        left.clear()
        gc.collect()
    assert text.splitlines()[:2] == [
        "windtunnel: 1 thing was left open   seed=7   t=0.000..0.000",
        "  left open  connection 0 to http://server.test, opened by the client at "
        "t=0.000: close the session or response that owns it",
    ]


def test_a_task_that_was_left_running_is_named() -> None:
    tasks: list[asyncio.Task[None]] = []

    async def scenario(_: Tunnel) -> None:
        tasks.append(asyncio.create_task(asyncio.sleep(100), name="poller"))

    assert "left open  pending task: poller: " in story(scenario)


@pytest.mark.parametrize(
    ("body", "content_type", "argument"),
    [
        pytest.param(b"abc", "text/plain", "body=b'abc'", id="bytes"),
        pytest.param(b"{no", "application/json", "body=b'{no'", id="bad-json"),
        pytest.param(
            b'{"a": "' + b"x" * 90 + b'"}',
            "application/json",
            "where=lambda request: len(request.body) == 99",
            id="long",
        ),
    ],
)
def test_the_expectation_to_paste_accepts_the_request(
    body: bytes, content_type: str, argument: str
) -> None:
    field = f"Content-Type: {content_type}".encode()

    async def scenario(tunnel: Tunnel) -> None:
        async with connect(tunnel, tunnel.server) as client:
            await client.send(post(body, field))
            await client.read_reply()

    line = next(x for x in story(scenario).splitlines() if "to accept it" in x)
    assert line == (
        f'  to accept it:  server.expect("POST", "/v1/items", {argument})'
        ".reply(Reply(200))"
    )


def test_a_long_story_says_how_much_was_left_out() -> None:
    async def scenario(tunnel: Tunnel) -> None:
        async with connect(tunnel, tunnel.server) as client:
            for _ in range(30):
                await client.send(GET)
                await client.read_reply()

    text = story(scenario)
    assert "windtunnel: 30 requests matched nothing" in text
    assert "  ... 20 more left out\n" in text
    assert "earlier lines left out" in text


def test_when_all_is_well_the_verdict_says_so() -> None:
    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.expect("GET", "/", json=subset({}), body=b"{}")
        async with connect(tunnel, tunnel.server) as client:
            await client.send(b"GET / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
            await client.read_reply()

    tunnel = Tunnel()
    tunnel.run(scenario)
    verdict = tunnel.verdict()
    assert verdict.ok
    assert verdict.problems == ()
    assert verdict.render() == "windtunnel: all expectations were met"
    tunnel.verify()


def test_several_failures_are_all_told_and_the_first_is_the_cause() -> None:
    async def first(_: Wire) -> None:
        msg = "one"
        raise KeyError(msg)

    async def second(_: Wire) -> None:
        msg = "two"
        raise WireClosedError(msg)

    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.on_connect(first, second)
        for _ in range(2):
            async with connect(tunnel, tunnel.server) as client:
                await client.reader.read()

    with pytest.raises(VerificationError, match="2 scripts failed") as caught:
        Tunnel().run(scenario)
    assert isinstance(caught.value.__cause__, KeyError)
    assert "WireClosedError: two" in str(caught.value)
