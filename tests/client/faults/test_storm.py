"""Many requests at once, cancelled and disturbed at random: the pool keeps count."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.faults.effects import Effect, strike
from tests.client.faults.remains import remains
from windtunnel_fakeserver import Tunnel, WireClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from random import Random

    from windtunnel_fakeserver import Wire

HOSTS = ("http://a.test", "http://b.test", "http://c.test")
LIMIT, PER_HOST, REQUESTS = 4, 2, 60
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


class Moody:
    """Answers slowly, and one time in five does something else."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.in_use = 0

    async def __call__(self, wire: Wire) -> None:
        chance = self._chance
        with contextlib.suppress(WireClosedError):
            async for _ in wire.requests():
                await wire.sleep(chance.choice((0, 0.01, 0.3)))
                whole = _HEAD + b"good"
                if chance.random() < 0.2:
                    await wire.send(whole[: chance.randint(1, len(whole))])
                    effect = chance.choice(list(Effect))
                    # Nobody would end these but the client's patience.
                    await strike(wire, effect)
                    return
                await wire.send(whole[:-2])
                await wire.sleep(chance.choice((0, 0.01, 0.3)))
                await wire.send(whole[-2:])
                if chance.random() < 0.1:
                    return


class Storm:
    """Sends requests that end in all ways, and watches the limits."""

    def __init__(self, chance: Random, session: windtunnel.ClientSession) -> None:
        self._chance = chance
        self._session = session
        self.answers = 0
        self.bodies_begun = 0
        self.bodies_ended = 0

    async def _generate(self) -> AsyncIterator[bytes]:
        self.bodies_begun += 1
        try:
            for _ in range(5):
                await asyncio.sleep(0.02)
                yield bytes(1000)
        finally:
            self.bodies_ended += 1

    def _body(self) -> Any:
        makers = (lambda: b"x", lambda: bytes(200_000), self._generate)
        return self._chance.choice(makers)()

    async def one(self) -> None:
        chance = self._chance
        method = chance.choice(("GET", "POST", "PUT"))
        body = None if method == "GET" else self._body()
        timeout = windtunnel.ClientTimeout(
            total=chance.choice((0.2, 2, 4)),
            sock_read=chance.choice((None, 0.1, 1)),
            connect=chance.choice((None, 0.5)),
        )
        try:
            async with self._session.request(
                method, chance.choice(HOSTS), data=body, timeout=timeout
            ) as response:
                if chance.random() < 0.8:
                    assert len(await response.read()) == 4
                    self.answers += 1
        except (windtunnel.ClientError, TimeoutError):
            """As may be."""

    async def blow(self) -> None:
        chance = self._chance
        tasks: list[asyncio.Task[None]] = []
        for _ in range(REQUESTS):
            task = asyncio.create_task(self.one())
            tasks.append(task)
            if chance.random() < 0.3:
                loop = asyncio.get_running_loop()
                loop.call_later(chance.random(), task.cancel)
            if chance.random() < 0.3:
                await asyncio.sleep(chance.choice((0, 0.0001, 0.05)))
            self.check_limits()
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0.01)
            self.check_limits()
        for task in tasks:
            if not task.cancelled():
                await task

    def check_limits(self) -> None:
        connector = self._session.connector
        assert connector is not None
        pool = connector.pool
        assert 0 <= pool._in_use <= LIMIT
        assert all(0 < each <= PER_HOST for each in pool._in_use_by_key.values())
        assert sum(pool._in_use_by_key.values()) == pool._in_use
        if pool._waiters:
            assert pool._in_use >= PER_HOST


@pytest.mark.parametrize("seed", range(4))
def test_a_storm_leaves_the_pool_as_it_was(seed: int) -> None:
    tunnel = Tunnel(seed, latency=(0.0001, 0.01), split="random")
    chance = tunnel.network.stream("storm")
    for host in HOSTS:
        tunnel.host(host).on_connect(otherwise=Moody(tunnel.network.stream(host)))

    async def program(tunnel: Tunnel) -> int:
        connector = windtunnel.TCPConnector(limit=LIMIT, limit_per_host=PER_HOST)
        async with windtunnel.ClientSession(connector=connector) as session:
            storm = Storm(chance, session)
            await storm.blow()
            await asyncio.sleep(5)
            assert remains(connector, tunnel) == []
            assert storm.bodies_begun == storm.bodies_ended > 0
        await asyncio.sleep(5)
        assert remains(connector, tunnel) == []
        return storm.answers

    assert tunnel.run(program) > 0
