"""Looking names up: what is kept, for how long, and who waits for whom."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from windtunnel import ThreadedResolver
from windtunnel._base.compat import override
from windtunnel._base.watch import WATCH
from windtunnel._transport.failures import ClosedHere
from windtunnel._transport.names import Names
from windtunnel.abc import AbstractResolver, ResolveResult
from windtunnel_fakeserver import Tunnel


class CountingResolver(AbstractResolver):
    """Answers after a second, with what it was told, and counts."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses or ("198.18.0.1", "198.18.0.2", "198.18.0.3")
        self.asked: list[str] = []
        self.error: OSError | None = None

    @override
    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        self.asked.append(host)
        await asyncio.sleep(1)
        if self.error is not None:
            raise self.error
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in self.addresses
        ]

    @override
    async def close(self) -> None: ...


Main: TypeAlias = Callable[[Tunnel], Awaitable[None]]


def play(main: Main) -> None:
    Tunnel().run(main)


def make(resolver: AbstractResolver, **options: object) -> Names:
    return Names(asyncio.get_running_loop(), resolver, **options)  # type: ignore[arg-type]  # keywords of the tests


async def first(names: Names, host: str = "a.test") -> str:
    infos = await names.look_up(host, 80)
    return str(infos[0][4][0])


def test_addresses_are_kept_for_ttl_and_take_turns() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        names = make(resolver, ttl=10)
        found = [await first(names) for _ in range(4)]
        assert found == ["198.18.0.1", "198.18.0.2", "198.18.0.3", "198.18.0.1"]
        assert tunnel.clock.elapsed == 1
        await asyncio.sleep(9.5)
        await first(names)
        assert len(resolver.asked) == 1
        await asyncio.sleep(0.5)
        assert await first(names) == "198.18.0.1"
        assert len(resolver.asked) == 2
        assert names.is_cached

    play(main)


def test_addresses_are_kept_for_ever_without_ttl() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        names = make(resolver, ttl=None)
        await first(names)
        await asyncio.sleep(80_000)
        await first(names)
        assert len(resolver.asked) == 1

    play(main)


def test_nothing_is_kept_or_merged_without_cache() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        names = make(resolver, is_cached=False)
        await asyncio.gather(first(names), first(names))
        await first(names)
        assert len(resolver.asked) == 3

    play(main)


def test_the_least_recently_used_name_goes_first() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        names = make(resolver, capacity=2)
        for host in ("a.test", "b.test", "a.test", "c.test", "a.test", "b.test"):
            await first(names, host)
        assert resolver.asked == ["a.test", "b.test", "c.test", "b.test"]

    play(main)


def test_one_name_or_all_can_be_forgotten() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        names = make(resolver)
        await first(names, "a.test")
        await first(names, "b.test")
        names.clear(("a.test", 80))
        names.clear(("unknown.test", 80))
        await first(names, "b.test")
        await first(names, "a.test")
        names.clear()
        await first(names, "b.test")
        assert resolver.asked == ["a.test", "b.test", "a.test", "b.test"]

    play(main)


def test_concurrent_lookups_are_one_and_take_turns_with_its_addresses() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        names = make(resolver)
        found = await asyncio.gather(*[first(names) for _ in range(3)])
        assert sorted(found) == ["198.18.0.1", "198.18.0.2", "198.18.0.3"]
        assert len(resolver.asked) == 1
        assert tunnel.clock.elapsed == 1

    play(main)


def test_an_error_goes_to_all_who_wait_and_is_not_kept() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        resolver.error = OSError(None, "no")
        names = make(resolver)
        found = await asyncio.gather(first(names), first(names), return_exceptions=True)
        assert [str(each) for each in found] == [str(resolver.error)] * 2
        resolver.error = None
        assert await first(names) == "198.18.0.1"
        assert len(resolver.asked) == 2

    play(main)


def test_cancelling_the_first_who_asks_does_not_stop_the_others() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        names = make(resolver)
        one = asyncio.create_task(first(names))
        two = asyncio.create_task(first(names))
        await asyncio.sleep(0.5)
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        assert await two == "198.18.0.1"
        assert len(resolver.asked) == 1

    play(main)


def test_a_lookup_that_fails_after_everybody_left_is_not_reported_anywhere() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        resolver.error = OSError(None, "no")
        names = make(resolver)
        one = asyncio.create_task(first(names))
        await asyncio.sleep(0.5)
        one.cancel()
        await asyncio.sleep(5)
        assert one.cancelled()

    play(main)


def test_closing_fails_who_waits_and_ends_the_lookup() -> None:
    async def main(tunnel: Tunnel) -> None:
        names = make(CountingResolver())
        one = asyncio.create_task(first(names))
        await asyncio.sleep(0.5)
        await names.close()
        with pytest.raises(ClosedHere, match="Connector is closed"):
            await one
        await names.close()
        assert tunnel.clock.elapsed == 0.5

    play(main)


def test_addresses_are_taken_as_they_are() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        names = make(resolver)
        assert await names.look_up("198.18.7.7", 80) == [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("198.18.7.7", 80))
        ]
        assert await names.look_up("::1", 81) == [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 81, 0, 0))
        ]
        assert resolver.asked == []

    play(main)


def test_what_is_at_hand_is_given_without_waiting() -> None:
    async def main(tunnel: Tunnel) -> None:
        names = make(CountingResolver("198.18.0.1"), ttl=10)
        assert names.at_hand("a.test", 80) is None
        found = await names.look_up("a.test", 80)
        assert names.at_hand("a.test", 80) == found
        assert names.at_hand("a.test", 81) is None
        assert names.at_hand("198.18.7.7", 80) == await names.look_up("198.18.7.7", 80)
        assert names.at_hand("fe80::1%1", 80) is None
        await asyncio.sleep(10)
        assert names.at_hand("a.test", 80) is None

    play(main)


def test_a_name_at_hand_is_looked_up_all_the_same_while_somebody_watches() -> None:
    class Watching:
        async def emit(self, name: str, *values: object) -> None: ...

    async def main(tunnel: Tunnel) -> None:
        names = make(CountingResolver())
        await first(names)
        mark = WATCH.set(Watching())
        assert names.at_hand("a.test", 80) is None
        WATCH.reset(mark)
        assert names.at_hand("a.test", 80) is not None

    play(main)


def test_the_interface_of_a_link_local_address_is_asked_of_the_system() -> None:
    async def program() -> None:
        names = make(CountingResolver("fe80::1%1"))
        for host in ("fe80::1%1", "a.test"):
            (info,) = await names.look_up(host, 80)
            assert info[4] == ("fe80::1", 80, 0, 1)

    # Interface 1 is the loopback; the simulated network has none.
    asyncio.run(program())


def test_dots_at_the_end_become_one() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        names = make(resolver)
        await first(names, "a.test...")
        await first(names, "a.test.")
        await first(names, "a.test")
        assert resolver.asked == ["a.test.", "a.test"]

    play(main)


def test_a_resolver_without_answer_is_an_error_that_names_the_host() -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = CountingResolver()
        resolver.addresses = ()
        with pytest.raises(OSError, match=r"no address for host 'a.test'"):
            await first(make(resolver))

    play(main)


def test_the_threaded_resolver_asks_the_loop() -> None:
    async def main(tunnel: Tunnel) -> None:
        tunnel.network.dns.add("a.test", ["198.18.0.9", "2001:db8::9"], delay=2)
        resolver = ThreadedResolver()
        found = await resolver.resolve("a.test", 80, socket.AF_UNSPEC)
        assert [(each["host"], each["family"]) for each in found] == [
            ("198.18.0.9", socket.AF_INET),
            ("2001:db8::9", socket.AF_INET6),
        ]
        assert found[0]["hostname"] == "a.test"
        assert found[0]["port"] == 80
        assert found[0]["flags"] == socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        only = await resolver.resolve("a.test")
        assert [each["host"] for each in only] == ["198.18.0.9"]
        await resolver.close()
        assert tunnel.clock.elapsed == 4

    play(main)
