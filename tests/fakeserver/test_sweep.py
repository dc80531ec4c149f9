"""One scenario with every cut of a reply, and with every way to split it."""

from __future__ import annotations

import asyncio
import functools
import gzip

import aiohttp
import httpx
import pytest

import windtunnel
from windtunnel_fakeserver import (
    Cut,
    Eof,
    Fault,
    Garbage,
    Reply,
    Reset,
    Stall,
    SweepError,
    Tunnel,
    cuts,
    pause,
    split_at,
    splits,
    sweep,
)

HELLO = Reply(200, headers={"content-type": "text/plain"}, body=b"hello")
HELLO_BYTES = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
)


def test_there_is_a_cut_for_each_byte_and_effect_in_order() -> None:
    made = cuts(HELLO)

    assert len(made) == 3 * len(HELLO_BYTES)
    assert [cut.offset for cut in made] == sorted(cut.offset for cut in made)
    assert [type(cut.reply.fault) for cut in made[:4]] == [Eof, Reset, Stall, Eof]
    assert {cut.total for cut in made} == {len(HELLO_BYTES)}


def test_a_cut_names_its_place_in_head_or_body() -> None:
    [head, *_, body] = cuts(HELLO, [Eof])

    assert head.reply.fault == Eof(at="response_head")
    assert body.reply.fault == Eof(at="response_body", after=4)
    assert body.before.endswith(b"\r\n\r\nhell")
    assert str(head) == f"Eof at byte 0 of {len(HELLO_BYTES)}, behind b''"
    assert body.recipe == 'Reply(..., fault=Eof(at="response_body", after=4))'


def test_cuts_may_take_each_so_many_bytes_only() -> None:
    assert [cut.offset for cut in cuts(HELLO, [Eof], every=40)] == [0, 40]


def test_effects_may_be_made_by_a_function() -> None:
    [cut, *_] = cuts(HELLO, [functools.partial(Garbage, 7)])

    assert cut.reply.fault == Garbage(7, at="response_head")


def test_interim_replies_are_not_cut_and_the_reply_stays_as_it_was() -> None:
    reply = Reply(204, informational=[Reply(103), pause(1)])

    [cut, *_] = cuts(reply, [Eof])

    assert cut.offset == len(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    assert reply.fault is None


@pytest.mark.parametrize("make", [cuts, splits])
def test_mistakes_are_told(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"every=0: must be >= 1 bytes"):
        make(HELLO, every=0)
    with pytest.raises(ValueError, match="has a fault already"):
        make(Reply(200, fault=Eof(at="response_head")))


def test_there_is_a_split_for_each_place_between_two_bytes() -> None:
    made = splits(HELLO)

    assert [cut.offset for cut in made] == list(range(1, len(HELLO_BYTES)))
    assert str(made[0]).startswith(f"split into 1 + {len(HELLO_BYTES) - 1} bytes")
    assert made[6].recipe == "Tunnel(split=split_at(7))"


def test_a_split_delivers_each_write_in_two_segments() -> None:
    async def main(tunnel: Tunnel) -> list[int]:
        tunnel.server.on("GET", "/").reply(HELLO)
        async with httpx.AsyncClient() as client:
            await client.get(tunnel.server.url("/"))
        events = tunnel.trace.events
        return [e.length for e in events if e.kind == "data" and e.direction == "<"]

    assert Tunnel(split=split_at(7)).run(main) == [7, len(HELLO_BYTES) - 7]


# -- what a sweep does ---------------------------------------------------------------


def test_three_clients_survive_every_cut_of_a_compressed_reply() -> None:
    body = gzip.compress(b"some text " * 3, mtime=0)
    reply = Reply(200, headers={"content-encoding": "gzip"}, body=body)

    async def with_windtunnel(tunnel: Tunnel, reply: Reply) -> None:
        tunnel.server.on("GET", "/").reply(reply)
        async with windtunnel.ClientSession(retry_connection=False) as session:
            with pytest.raises((windtunnel.ClientError, asyncio.TimeoutError)):
                async with session.get(tunnel.server.url("/")) as response:
                    await response.read()

    async def with_aiohttp(tunnel: Tunnel, reply: Reply) -> None:
        tunnel.server.on("GET", "/").reply(reply)
        async with aiohttp.ClientSession() as session:
            with pytest.raises((aiohttp.ClientError, asyncio.TimeoutError)):
                async with session.get(tunnel.server.url("/")) as response:
                    await response.read()

    trust = Tunnel().authority.client_context()

    async def with_httpx(tunnel: Tunnel, reply: Reply) -> None:
        tunnel.server.on("GET", "/").reply(reply)
        async with httpx.AsyncClient(verify=trust) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(tunnel.server.url("/"))

    made = cuts(reply)
    for program in (with_windtunnel, with_aiohttp, with_httpx):
        assert sweep(program, made, seed=3) == len(made)


def test_every_split_gives_the_same_response() -> None:
    async def program(tunnel: Tunnel, reply: Reply) -> None:
        tunnel.server.expect("GET", "/").reply(reply)
        async with (
            windtunnel.ClientSession() as session,
            session.get(tunnel.server.url("/")) as response,
        ):
            assert await response.read() == b"hello"

    assert sweep(program, splits(HELLO)) == len(HELLO_BYTES) - 1


def test_the_smallest_cut_that_failed_is_named_with_its_error() -> None:
    async def program(tunnel: Tunnel, reply: Reply) -> None:
        assert isinstance(reply.fault, Fault)
        tunnel.server.on("GET", "/").reply(reply)
        async with windtunnel.ClientSession(retry_connection=False) as session:
            with pytest.raises(windtunnel.ClientError):
                await (await session.get(tunnel.server.url("/"))).read()
        assert reply.fault.at == "response_head", "the body came"

    with pytest.raises(SweepError) as caught:
        sweep(program, cuts(HELLO, [Reset]))

    size = len(HELLO_BYTES)
    assert str(caught.value).splitlines() == [
        f"5 of {size} variations failed, the smallest: Reset at byte {size - 5} of "
        rf"{size}, behind {HELLO_BYTES[size - 29 : size - 5]!r}",
        "  AssertionError: the body came",
        '  to run it alone: Reply(..., fault=Reset(at="response_body"))',
    ]
    assert isinstance(caught.value.__cause__, AssertionError)


def test_a_hang_of_the_client_is_a_failed_variation() -> None:
    async def program(tunnel: Tunnel, reply: Reply) -> None:
        tunnel.server.on("GET", "/").reply(reply)
        async with httpx.AsyncClient(timeout=None) as client:
            await client.get(tunnel.server.url("/"))

    with pytest.raises(SweepError, match="1 of 1 variations failed, the smallest: Sta"):
        sweep(program, cuts(HELLO, [Stall], every=1000))


def test_what_pytest_raises_is_a_failed_variation() -> None:
    async def program(tunnel: Tunnel, reply: Reply) -> None:
        pytest.fail("told by the test")

    with pytest.raises(SweepError, match="Failed: told by the test"):
        sweep(program, splits(HELLO, every=1000))


def test_an_interrupt_ends_the_sweep() -> None:
    async def program(tunnel: Tunnel, reply: Reply) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(program, splits(HELLO))


def test_a_sweep_without_variations_is_a_mistake() -> None:
    async def program(tunnel: Tunnel, reply: Reply) -> None: ...

    with pytest.raises(ValueError, match="no variations"):
        sweep(program, ())


def test_tunnels_may_be_made_by_the_author() -> None:
    class Mine(Tunnel):
        pass

    seen: list[type[Tunnel]] = []

    async def program(tunnel: Tunnel, reply: Reply) -> None:
        seen.append(type(tunnel))

    [cut, *_] = splits(HELLO)
    assert isinstance(cut, Cut)
    sweep(program, [cut], tunnel=Mine)

    assert seen == [Mine]
